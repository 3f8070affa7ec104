// Compile Aerodrome's published contracts out of their npm package; prints JSON: name -> {contractName, abi, bytecode}.
// They are not free to redistribute, so nothing of them is kept in this repository.
const { existsSync, readFileSync } = require("node:fs");
const { join } = require("node:path");

const root = join(__dirname, "..", "..", "..");
const modules = join(root, "node_modules");
const solc = require(join(modules, "solc"));
const contracts = join(modules, "sphere-mezo-solidity-files", "domains", "aerodrome", "contracts");
const folders = { "aero/": contracts, "@openzeppelin/": join(modules, "@openzeppelin") };
const wanted = ["Pool.sol", "Router.sol", "factories/PoolFactory.sol", "factories/FactoryRegistry.sol"];

function text(path) {
  const prefix = Object.keys(folders).find((item) => path.startsWith(item));
  const file = prefix && join(folders[prefix], path.slice(prefix.length));
  return file && existsSync(file) ? { contents: readFileSync(file, "utf8") } : { error: `unknown import ${path}` };
}

const input = {
  language: "Solidity",
  sources: Object.fromEntries(wanted.map((name) => [`aero/${name}`, { content: text(`aero/${name}`).contents }])),
  settings: {
    optimizer: { enabled: true, runs: 200 },
    evmVersion: "paris",
    outputSelection: { "*": { "*": ["abi", "evm.bytecode.object"] } },
  },
};
const output = JSON.parse(solc.compile(JSON.stringify(input), { import: text }));
const errors = (output.errors ?? []).filter((item) => item.severity === "error");
if (errors.length > 0) {
  console.error(errors.map((item) => item.formattedMessage).join("\n"));
  process.exit(1);
}
const found = {};
for (const file of wanted) {
  for (const [name, contract] of Object.entries(output.contracts[`aero/${file}`])) {
    found[name] = { contractName: name, abi: contract.abi, bytecode: contract.evm.bytecode.object };
  }
}
console.log(JSON.stringify(found));
