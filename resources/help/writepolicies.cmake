# SPDX-License-Identifier: GPL-3.0-or-later

# Writes a page for each type of policy into HELP, and takes out those of types that are gone.
# cmake -DPROGRAM=…/gatehouse -DHELP=…/resources/help/policies -P writepolicies.cmake
execute_process(COMMAND ${PROGRAM} policies list OUTPUT_VARIABLE lines COMMAND_ERROR_IS_FATAL ANY)
file(GLOB old ${HELP}/*.md)
file(MAKE_DIRECTORY ${HELP})
string(REGEX MATCHALL "[^\n]+" lines "${lines}")
foreach(line IN LISTS lines)
    string(REGEX MATCH "^[a-z0-9-]+" type "${line}")
    execute_process(COMMAND ${PROGRAM} policies describe ${type}
        OUTPUT_FILE ${HELP}/${type}.md COMMAND_ERROR_IS_FATAL ANY)
    list(REMOVE_ITEM old ${HELP}/${type}.md)
endforeach()
if(old)
    file(REMOVE ${old})
endif()
