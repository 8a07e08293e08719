// SPDX-License-Identifier: GPL-3.0-or-later
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { Recorder } from "../recorder.mjs";
import { anthropic } from "../answers/anthropic.mjs";
import { family } from "../answers/family.mjs";
import { gemini } from "../answers/gemini.mjs";
import { ollama } from "../answers/ollama.mjs";
import { openai } from "../answers/openai.mjs";
import { Report, credentials, pair, sameRequest, sameResponse, sameTunnel } from "./compare.mjs";
import { Tap } from "./tap.mjs";
import { headerValue } from "./wire.mjs";

/** By the provider's name in the gateway's configuration, which is its dialect's too unless it says another one. */
export const DIALECTS = {
  openai: { answer: openai, prefix: "/openai/v1", providerPrefix: "/v1", realKey: "sk-real-0123456789abcdefOPENAI" },
  anthropic: { answer: anthropic, prefix: "/anthropic", providerPrefix: "", realKey: "sk-ant-real-0123456789abcdef" },
  gemini: { answer: gemini, prefix: "/gemini", providerPrefix: "", realKey: "AIzaSyReal0123456789abcdefGEMINI" },
  ollama: { answer: ollama, prefix: "/ollama", providerPrefix: "", realKey: null },
  family: { answer: family, prefix: "/family", providerPrefix: "", realKey: "sk-real-0123456789abcdefFAMILY", dialect: "openai" },
};

export class Skip extends Error {}

const refusedByGateway = ({ response }) => response && headerValue(response.headers, "x-gatehouse-reason") !== undefined;

/** What a call gave or threw, as plain data that two runs can be compared by. */
export async function attempt(call) {
  try {
    return { value: await call() };
  } catch (error) {
    const { name, message, status, status_code, code, type, param } = error;
    return { error: { class: error.constructor.name, name, message, status, status_code, code, type, param } };
  }
}

export class Session {
  static async open({ dir, ports = [] }) {
    const session = new Session();
    session.dir = dir;
    session.recorders = {};
    for (const [i, [name, { answer }]] of Object.entries(DIALECTS).entries()) {
      session.recorders[name] = await Recorder.open(answer, ports[i]);
    }
    return session;
  }

  async close() {
    for (const recorder of Object.values(this.recorders)) await recorder.close();
  }

  /** One run of a scenario, with a tap in front of the client. gateway is undefined for a direct run. */
  async run(scenario, gateway) {
    const dialect = DIALECTS[scenario.dialect];
    const recorder = this.recorders[scenario.dialect];
    recorder.take();
    const tap = await Tap.open(gateway ? gateway.port : recorder.port);
    const prefix = gateway ? dialect.prefix : dialect.providerPrefix;
    const home = join(this.dir, "home");
    rmSync(home, { recursive: true, force: true });
    mkdirSync(home, { recursive: true });
    const origin = `http://127.0.0.1:${tap.port}`;
    const key = gateway ? gateway.key : (dialect.realKey ?? "");
    const limit = scenario.seconds ?? 30;
    let timer;
    try {
      const late = new Promise((_, reject) => {
        timer = setTimeout(() => reject(new Error(`no end within ${limit} s`)), limit * 1000);
      });
      const work = scenario.run({ origin, base: origin + prefix, prefix, key, home, attempt, recorder });
      work.catch(() => {});
      const outcome = await Promise.race([work, late]);
      const settled = await recorder.settle();
      await tap.settle();
      return { ...recorder.take(), tapped: tap.exchanges, toClient: Buffer.concat(tap.toClient), outcome, settled };
    } finally {
      clearTimeout(timer);
      await tap.close();
    }
  }

  /** Runs a scenario twice directly and once through the gateway; gives the report. */
  async compare(scenario, gateway) {
    const report = new Report();
    const first = await this.run(scenario);
    const second = await this.run(scenario);
    const through = await this.run(scenario, gateway);
    report.exchanges = first.exchanges.length;
    if (!first.exchanges.length) report.fail("direct run", "no request was made");
    if (!first.settled) report.fail("direct run", "the recorder was left waiting");
    if (!through.settled) report.fail("gateway", "the provider was not told that the client is gone");
    this.compareRuns(report, scenario, first, second, through);
    this.compareSides(report, scenario, gateway, through);
    this.checkSecrets(report, scenario, gateway, through);
    if (gateway.usage) {
      const pairs = pair(through.tapped, through.exchanges, this.stripper(scenario));
      report.usage = await gateway.usage.check(scenario.dialect, pairs, (where, what) => report.fail(where, what));
    }
    const outcome = (run) => JSON.stringify(run.outcome, null, 1);
    report.same("what the client was given", outcome(first), outcome(through), outcome(second));
    return report;
  }

  /**
   * The requests of the direct run that a gateway may answer itself: those without any key (Claude Code's
   * HEAD /api/hello), and upgrades, which it may leave to the client's own fallback.
   */
  refused(report, scenario, first, through) {
    const requests = new Set();
    for (const [b, a] of pair(through.tapped, first.tapped, this.stripper(scenario))) {
      if (!a || !b || !refusedByGateway(b)) continue;
      const upgrade = headerValue(a.request.headers, "upgrade") !== undefined;
      const noKey = DIALECTS[scenario.dialect].realKey && !credentials(b.request).length;
      if (!upgrade && !noKey) continue;
      report.refused.push(`${b.request.start.split(" ")[0]} ${upgrade ? "upgrade" : "without a key"}: ${b.response.status}`);
      requests.add(a.request);
    }
    for (const [a, seen] of pair(first.tapped, first.exchanges)) if (requests.has(a?.request) && seen) requests.add(seen.request);
    return requests;
  }

  /** (a) the provider's view and (b) the client's view, direct run against gateway run. */
  compareRuns(report, scenario, first, second, through) {
    const rightlyRefused = this.refused(report, scenario, first, through);
    const views = [
      ["provider saw", first.exchanges, second.exchanges, through.exchanges, (t) => t],
      ["client saw", first.tapped, second.tapped, through.tapped, this.stripper(scenario)],
    ];
    for (const [who, one, two, gate, strip] of views) {
      const partner = new Map(pair(one, two));
      for (const [b, a] of pair(gate, one, strip)) {
        const name = `${who} ${(a ?? b).request.start.split(" ").slice(0, 2).join(" ").slice(0, 90)}`;
        if (a && rightlyRefused.has(a.request)) continue;
        if (!a || !b) {
          const fallback = !a && report.refused.some((what) => what.includes("upgrade"));
          if (one.length === two.length && !fallback) report.fail(name, a ? "missing in the gateway run" : "only in the gateway run");
          continue;
        }
        if (who === "provider saw") sameRequest(report, name, a.request, b.request, partner.get(a)?.request);
        else {
          sameResponse(report, name, a.response, b.response, partner.get(a)?.response);
          sameTunnel(report, name, a, b, partner.get(a));
        }
      }
    }
  }

  /** Within the gateway run, what went in against what came out: nothing is random here, so nothing is masked. */
  compareSides(report, scenario, gateway, { exchanges, tapped }) {
    const { prefix } = DIALECTS[scenario.dialect];
    for (const [outer, inner] of pair(tapped, exchanges, this.stripper(scenario))) {
      const name = `through the gateway ${(outer ?? inner).request.start.split(" ").slice(0, 2).join(" ").slice(0, 90)}`;
      if (!outer) report.fail(name, "reached the provider, and no client sent it");
      else if (!inner) {
        if (!refusedByGateway(outer)) report.fail(name, `never reached the provider: ${outer.response?.start ?? "no answer"}`);
      } else {
        if (!outer.request.target.startsWith(prefix)) report.fail(name, "not under the route");
        const asSent = { ...outer.request, start: outer.request.start.replace(` ${prefix}`, ` ${DIALECTS[scenario.dialect].providerPrefix}`) };
        sameRequest(report, name, asSent, inner.request);
        sameResponse(report, name, inner.response, outer.response);
        const id = outer.response && headerValue(outer.response.headers, "x-gatehouse-request-id");
        if (gateway.ours && outer.response && !id) report.fail(name, "the answer has no x-gatehouse-request-id");
      }
    }
  }

  checkSecrets(report, scenario, gateway, { exchanges, bytes, toClient }) {
    const { realKey } = DIALECTS[scenario.dialect];
    if (bytes.includes(gateway.key)) report.fail("provider", "the virtual key reached it");
    if (realKey && toClient.includes(realKey)) report.fail("client", "the provider's key reached it");
    for (const { request } of exchanges) {
      const carried = credentials(request);
      const right = carried.every((value) => value === realKey || value === `Bearer ${realKey}`);
      if (!right || (realKey && !carried.length)) {
        report.fail(`provider ${request.start.slice(0, 60)}`, `credential ${JSON.stringify(carried)} is not the configured one`);
      }
    }
  }

  stripper(scenario) {
    const { prefix, providerPrefix } = DIALECTS[scenario.dialect];
    return (target) => (target.startsWith(prefix) ? providerPrefix + target.slice(prefix.length) : target);
  }
}
