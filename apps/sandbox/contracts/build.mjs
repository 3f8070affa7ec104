// Compile our Solidity sources to the committed JSON. Needed only by those who change a contract.
//
//   node apps/sandbox/contracts/build.mjs            compile and write
//   node apps/sandbox/contracts/build.mjs --check    compile and compare, exit 1 on a difference
//
// Target "paris": it has no PUSH0, so the same bytes run on every chain we trade on and on the older forks of
// providers that simulate against them; the price is a few gas per call. No metadata hash: the bytes depend on the
// code alone, so that a moved comment or folder does not change them.
import { createRequire } from "node:module";
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const SOLC_VERSION = "0.8.30";
const EVM_VERSION = "paris";
const OPTIMIZER_RUNS = 200;
const CODE_MAX_BYTES = 24_576; // EIP-170
// The folders below "cases". "held-out-2" was written before anything of the detection was read by its author, "held-out-3"
// after it was mended on "held-out-2" and before it was run on any of these.
const PARTS = ["tuning", "test", "held-out-2/tune", "held-out-2/final", "held-out-3", "held-out-4", "held-out-5"];

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, "..", "..", "..");
const suite = join(here, "suite");
const folders = [
  here,
  join(root, "apps", "chains", "evm", "contracts"),
  join(root, "tests", "chains", "evm", "contracts"),
  suite,
];

function loadSolc() {
  try {
    return createRequire(join(root, "package.json"))("solc");
  } catch (error) {
    if (error.code !== "MODULE_NOT_FOUND") throw error;
    console.error(`solc ${SOLC_VERSION} was not found. Run "make setup" (or: npm install --no-save solc@${SOLC_VERSION}).`);
    process.exit(2);
  }
}

function readSources(folder) {
  const src = join(folder, "src");
  const names = readdirSync(src).filter((name) => name.endsWith(".sol")).sort();
  return Object.fromEntries(names.map((name) => [name, { content: readFileSync(join(src, name), "utf8") }]));
}

function compile(solc, sources) {
  const input = {
    language: "Solidity",
    sources,
    settings: {
      optimizer: { enabled: true, runs: OPTIMIZER_RUNS },
      evmVersion: EVM_VERSION,
      metadata: { bytecodeHash: "none", appendCBOR: false },
      outputSelection: { "*": { "*": ["abi", "evm.bytecode.object", "evm.deployedBytecode.object"] } },
    },
  };
  const importer = (path) => {
    const source = sources[basename(path)];
    return source ? { contents: source.content } : { error: `unknown import ${path}` };
  };
  const output = JSON.parse(solc.compile(JSON.stringify(input), { import: importer }));
  const messages = output.errors ?? [];
  for (const message of messages) console.error(message.formattedMessage);
  if (messages.length > 0) process.exit(1); // warnings too: money code has none
  return output.contracts;
}

function artifacts(contracts) {
  const files = new Map();
  for (const file of Object.keys(contracts).sort()) {
    for (const [contractName, contract] of Object.entries(contracts[file])) {
      const bytecode = contract.evm.bytecode.object;
      if (bytecode === "") continue; // abstract contracts and interfaces
      const deployedBytecode = contract.evm.deployedBytecode.object;
      if (deployedBytecode.length / 2 > CODE_MAX_BYTES) throw new Error(`${contractName} is too large to deploy`);
      const artifact = {
        contractName,
        abi: contract.abi,
        bytecode: `0x${bytecode}`,
        deployedBytecode: `0x${deployedBytecode}`,
        compiler: { name: "solc", version: SOLC_VERSION, evmVersion: EVM_VERSION, optimizerRuns: OPTIMIZER_RUNS },
      };
      files.set(`${contractName}.json`, `${JSON.stringify(artifact, null, 1)}\n`);
    }
  }
  return files;
}

// One file a token in the form that "manage.py evaluate honeypots" reads, made of suite.json and the compiled contracts.
function cases(compiled) {
  const plan = JSON.parse(readFileSync(join(suite, "suite.json"), "utf8"));
  const halves = new Map(PARTS.map((part) => [part, new Map()]));
  for (const { contract, half, ...fields } of plan) {
    const { abi, bytecode } = JSON.parse(compiled.get(`${contract}.json`));
    const entry = { name: contract, ...fields, abi, bytecode };
    halves.get(half).set(`${contract}.json`, `${JSON.stringify(entry, null, 1)}\n`);
  }
  return halves;
}

function write(target, files) {
  mkdirSync(target, { recursive: true });
  for (const name of readdirSync(target)) if (!files.has(name)) rmSync(join(target, name));
  for (const [name, text] of files) writeFileSync(join(target, name), text);
}

function differences(target, files) {
  const found = existsSync(target) ? readdirSync(target).filter((name) => name.endsWith(".json")) : [];
  const stale = found.filter((name) => !files.has(name)).map((name) => `${name} has no source`);
  for (const [name, text] of files) {
    if (!found.includes(name)) stale.push(`${name} is missing`);
    else if (readFileSync(join(target, name), "utf8") !== text) stale.push(`${name} differs from its source`);
  }
  return stale;
}

const check = process.argv.includes("--check");
const solc = loadSolc();
if (!solc.version().startsWith(`${SOLC_VERSION}+`)) {
  console.error(`solc ${SOLC_VERSION} is needed, found ${solc.version()}`);
  process.exit(2);
}
const outputs = new Map(); // folder -> name -> text
for (const folder of folders) {
  const files = artifacts(compile(solc, readSources(folder)));
  outputs.set(join(folder, "compiled"), files);
  if (folder !== suite) continue;
  for (const [half, entries] of cases(files)) outputs.set(join(suite, "cases", half), entries);
}
const stale = [];
for (const [target, files] of outputs) {
  if (check) stale.push(...differences(target, files));
  else write(target, files);
  console.log(`${check ? "checked" : "wrote"} ${files.size} files of ${target.slice(root.length + 1)}`);
}
for (const line of stale) console.error(line);
process.exit(stale.length > 0 ? 1 : 0);
