// SPDX-License-Identifier: Apache-2.0
// A client whose every path, parameter and member comes of the document: it does not compile where that is
// silent, and ends with status 1 where the API does otherwise.
//   QVM_SOCKET=PATH, or QVM_URL=https://... QVM_CA=FILE QVM_TOKEN=SECRET; QVM_CONFIG=qvmconf text
import createClient from "openapi-fetch";
import { readFileSync } from "node:fs";
import { Agent, fetch as http, Request as HttpRequest } from "undici";
import type { components, paths } from "./api.js";

type Event = components["schemas"]["event"];
type Problem = components["schemas"]["problem"];

const env = process.env;
const dispatcher = new Agent({
  connect: env.QVM_SOCKET ? { socketPath: env.QVM_SOCKET } : { ca: readFileSync(env.QVM_CA ?? "") },
});
const api = createClient<paths>({
  baseUrl: env.QVM_URL ?? "http://qvm",
  headers: env.QVM_TOKEN ? { Authorization: `Bearer ${env.QVM_TOKEN}` } : {},
  // The library knows the browser's fetch alone; undici's reaches unix sockets and takes a CA.
  fetch: http as unknown as typeof fetch,
  Request: HttpRequest as unknown as typeof Request,
  requestInitExt: { dispatcher },
});

function check(holds: unknown, what: string, got: unknown): asserts holds {
  if (!holds) throw new Error(`${what}; got ${JSON.stringify(got)}`);
  console.log(what);
}

/** The kinds of problems are known to the compiler, each by its name. */
function advice(p: Problem): string {
  switch (p.type) {
    case "urn:qvm:error:not-found": return "look for its name";
    case "urn:qvm:error:stale": return "read it again";
    case "urn:qvm:error:configuration": return "mend " + (p.diagnostics?.[0]?.what ?? "nothing");
    case "urn:qvm:error:identity": return "log in";
    default: return p.hint;
  }
}

async function* lines(stream: ReadableStream<Uint8Array>): AsyncGenerator<Event> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of stream as unknown as AsyncIterable<Uint8Array>) {
    rest += decoder.decode(chunk, { stream: true });
    for (let end = rest.indexOf("\n"); end >= 0; end = rest.indexOf("\n")) {
      yield JSON.parse(rest.slice(0, end)) as Event;
      rest = rest.slice(end + 1);
    }
  }
}

const vm = env.QVM_SOCKET ? "generated" : "generated-tls";
const config = env.QVM_CONFIG ?? "";
const path = { vm };

const judged = await api.POST("/v1/check", { body: { config: "laod k\n" } });
check(judged.data?.valid === false && judged.data.diagnostics[0]?.hint, "a wrong configuration has findings", judged);

const refused = await api.PUT("/v1/vms/{vm}", { params: { path }, body: { config: "laod k\n" } });
check(refused.error && advice(refused.error).startsWith("mend "), "its definition is a typed problem", refused);

const made = await api.PUT("/v1/vms/{vm}", {
  params: { path, header: { "If-None-Match": "*" } },
  body: { config, policy: { on_failure: "stop", stop_timeout_ms: 500 } },
});
check(made.response.status === 201 && made.data?.revision === 1, "defined", made);
check(made.data.policy?.on_failure === "stop", "its policy is as sent", made.data.policy);

const expected = { path, header: { "If-Match": '"7"' } };
const patched = await api.PATCH("/v1/vms/{vm}", { params: { path }, body: { policy: { restart_budget: 3, hook: null } } });
check(patched.data?.revision === 2 && patched.data.policy.restart_budget === 3, "its policy is changed", patched);
const back = await api.POST("/v1/vms/{vm}/rollback", { params: { path, query: { to: 1 } } });
check(back.data?.revision === 3 && back.data.policy.restart_budget === 5, "and is again as it was", back);
const stale = await api.PUT("/v1/vms/{vm}", { params: expected, body: { config: config + "# more\n" } });
check(stale.error && advice(stale.error) === "read it again", "a stale revision is a typed problem", stale);

const following = await api.GET("/v1/events", { params: { query: { follow: 1, vm } }, parseAs: "stream" });
check(following.data, "follows the events", following);
const events = lines(following.data as unknown as ReadableStream<Uint8Array>);
check((await events.next()).value?.kind === "ready", "the first is `ready`", "something else");

const started = await api.POST("/v1/vms/{vm}/start", { params: { path, query: { wait: "20s" } } });
check(started.data?.state === "done", "started", started);

const listed = await api.GET("/v1/vms", { params: { query: { limit: 1000 } } });
check(listed.data?.vms.find((v) => v.name === vm)?.observed === "running", "listed as running", listed);

const kinds: Event["kind"][] = [];
while (kinds.at(-1) !== "started") kinds.push((await events.next()).value?.kind ?? "ready");
check(kinds.includes("starting"), "the events tell of the start", kinds);

const status = await api.GET("/v1/vms/{vm}/status", { params: { path } });
check((status.data?.vcpus.length ?? 0) === 1, "its status has one vCPU", status);

const printed = await api.GET("/v1/vms/{vm}/console", { params: { path }, parseAs: "text" });
check(typeof printed.data === "string" && printed.response.headers.get("Console-Position"), "its console is text", printed);

const stopped = await api.POST("/v1/vms/{vm}/stop", { params: { path, query: { wait: "20s" } } });
check(stopped.data && stopped.data.state === "done", "stopped", stopped);
while (kinds.at(-1) !== "ended") kinds.push((await events.next()).value?.kind ?? "ready");
await events.return(undefined);

const operation = await api.GET("/v1/operations/{id}", { params: { path: { id: stopped.data.id } } });
check(operation.data?.op === "vm_stop" && operation.data.vm === vm, "its operation is kept", operation);

const gone = await api.DELETE("/v1/vms/{vm}", { params: { path } });
check(gone.response.status === 204, "deleted", gone);
const nobody = await api.GET("/v1/vms/{vm}", { params: { path } });
check(nobody.error && advice(nobody.error) === "look for its name", "and then it is a typed problem", nobody);

if (env.QVM_TOKEN) {
  const stranger = await api.GET("/v1/vms", { headers: { Authorization: "Bearer nobody" } });
  check(stranger.error && advice(stranger.error) === "log in", "a stranger is a typed problem", stranger);
}
await dispatcher.destroy();
