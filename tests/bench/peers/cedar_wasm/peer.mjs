// Cedar in WebAssembly on node, as `./dev bench peers` asks it in process.
//
//   node peer.mjs MODULES world FOLDER SECONDS   one line of JSON, as tests/bench/peers/dpl/peer.cc says
//
// Policies are parsed once; entities go in as JSON with every call, which is all that its interface offers.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const [modules, verb, folder, seconds] = process.argv.slice(2);
if (verb !== "world" || !(seconds > 0)) {
  console.error("usage: peer.mjs MODULES world FOLDER SECONDS");
  process.exit(2);
}
const cedar = createRequire(modules + "/")("@cedar-policy/cedar-wasm/nodejs");
const read = (name) => readFileSync(`${folder}/${name}`, "utf8");
const cpu = () => { const use = process.cpuUsage(); return use.user + use.system; };

const start = cpu();
const parsed = cedar.preparsePolicySet("peer", { staticPolicies: read("policy.cedar"), templates: {}, templateLinks: [] });
if (parsed.type !== "success") throw new Error(JSON.stringify(parsed).slice(0, 400));
const entities = JSON.parse(read("entities.json"));
const load_ms = (cpu() - start) / 1e3;
const bodies = read("cedar.jsonl").trim().split("\n");
const ask = (asked) => cedar.statefulIsAuthorized({ ...asked, preparsedPolicySetId: "peer", entities, validateRequest: false });
const calls = bodies.map((body) => JSON.parse(body));
const decisions = calls.map((call) => {
  const answer = ask(call);
  if (answer.type !== "success") throw new Error(JSON.stringify(answer).slice(0, 400));
  return answer.response.decision === "allow" ? "1" : "0";
}).join("");

function repeat(seconds, pass) {
  const ns = [];
  const end = performance.now() + seconds * 1e3;
  do {
    const before = cpu();
    pass();
    ns.push(Math.round((cpu() - before) * 1e3 / bodies.length));
  } while (performance.now() < end);
  return ns;
}
function passes(seconds, pass) {
  repeat(seconds / 4, pass);
  return repeat(seconds, pass);
}
const decide = passes(seconds / 2, () => { for (const call of calls) ask(call); });
const bytes = passes(seconds / 2, () => { for (const body of bodies) JSON.stringify(ask(JSON.parse(body)).response); });
console.log(JSON.stringify({ decisions, load_ms, ns: { decide, bytes } }));
