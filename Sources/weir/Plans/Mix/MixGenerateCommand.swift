import ArgumentParser
import Planning
import Primitives
import Storage
import Tokens
import Workflows

/// `weir plan mix generate`.
struct MixGenerateCommand: SeededCommand {
  static let configuration = CommandConfiguration(
    commandName: "generate",
    abstract: "Draw mixtures for small runs, and a recipe that trains them.",
    discussion: """
      Mixtures are drawn from the Dirichlet distribution around the natural one, the shares of tokens in the dataset, which \
      is the first of them. OUTPUT has ratios.csv, one mixture file per run and swarm.yaml; weir run OUTPUT/swarm.yaml \
      trains one model per mixture in OUTPUT-runs, whose losses weir plan mix fit --runs reads.

      EXAMPLES:
        weir plan mix generate --dataset out/dataset --by source --count 64 \\
          -o swarm
      """)

  @OptionGroup var domains: MixtureDomainOptions

  @Option(help: ArgumentHelp("Number of mixtures, the natural one included.", valueName: "n"))
  var count = 64

  @Option(help: ArgumentHelp("Sum of the Dirichlet parameters per domain; large values stay close to the natural mixture.", valueName: "x"))
  var concentration = 1.0

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Options of weir train for every run, in quotes; with --valid, whose losses are then fitted.", valueName: "options"))
  var train = "--preset nano --tokens 1M"

  @Option(name: [.customShort("o"), .long], help: ArgumentHelp("Output folder.", valueName: "folder"))
  var output: String

  @OptionGroup var seed: SeedOption
  @OptionGroup var common: CommonOptions

  var propertyFlags: PropertyFlags {
    ["count": "--count", "concentration": "--concentration", "domains": "--by", "by": "--by", "level": "--level"]
  }
  var inputs: [String] { domains.inputs }
  var outputs: [String] { [output] }

  func validate() throws {
    guard domains.dataset != nil else { throw ValidationError("Missing expected option '--dataset <folder>'") }
  }

  func perform(_ session: Session) throws -> Outcome {
    guard let dataset = domains.dataset, let found = try domains.domains() else { return Outcome() }
    var swarm = MixtureSwarm(count: count, concentration: concentration)
    swarm.randomSeed = seed.seed
    let mixtures = try swarm.mixtures(domains: found.names, natural: found.natural)
    let folder = try AtomicFolder(output, replacing: true)
    func write(_ name: String, _ bytes: [UInt8]) throws { try Files.write(bytes, to: "\(folder.working)/\(name)") }
    try write("ratios.csv", Array(mixtures.ratios().utf8))
    try Files.createFolder("\(folder.working)/mixtures")
    for (name, weights) in zip(mixtures.names, mixtures.weights) {
      let file = MixtureFile(found.groups, names: found.names, weights: weights, path: "\(output)/mixtures/\(name).json")
      try JSONFile.write(file, to: "\(folder.working)/mixtures/\(name).json")
    }
    var recipe = ["run: \(output)-runs", "steps:"]
    for name in mixtures.names {
      recipe += ["  - name: \(name)", "    says: Train on mixture \(name)"]
      recipe += ["    do: train \(dataset) --mixture \(output)/mixtures/\(name).json \(train) -o {run}/\(name)"]
    }
    try write("swarm.yaml", Array((recipe.joined(separator: "\n") + "\n").utf8))
    _ = try folder.commit(
      format: MixtureSwarm.format, tool: Weir.tool, inputs: ["dataset": try TokenReader(dataset).fingerprint],
      configuration: try JSONValue(encoding: swarm), counts: ["mixtures": mixtures.names.count, "domains": found.names.count])
    return Outcome(
      report: .object(["mixtures": .number(Double(count)), "domains": .array(found.names.map { .string($0) })]),
      lines: ["  \(count) mixtures of \(found.names.count) domains; train them with `weir run \(output)/swarm.yaml`"])
  }

  func forecast(_ forecast: inout Forecast) throws -> Forecast.Row { Forecast.Row(disk: 1e6) }
}
