import ArgumentParser
import Artifacts
import Export
import Loading
import Primitives
import Storage
import Tokens
import Workflows

/// `weir export DATASET`: writes tokens in the format of another trainer.
struct ExportCommand: SeededCommand {
  static let configuration = CommandConfiguration(
    commandName: "export",
    abstract: "Export a token dataset in the format of another trainer.",
    discussion: """
      npy: arrays for numpy.load. olmo: flat arrays without a header plus document boundaries in .csv.gz, for OLMo-core. \
      llmc: llm.c .bin files (uint16, or uint32 for large vocabularies). mds: MosaicML shards with one sample per document \
      (id, source, tokens), or rows of --sequence tokens.

      Documents keep the order of the dataset unless --shuffle is given; each ends with an end-of-document token (llmc: \
      begins with it). --tree writes one folder per cluster. --mixture samples rows of --sequence tokens, --tokens in all: \
      the same rows as weir feed.

      EXAMPLES:
        weir export out/dataset --to mds --shuffle -o out/mds
        weir export out/dataset --to npy --mixture crisp.json --tokens 10M \\
          --sequence 1024 -o out/npy
      """)

  @Argument(help: ArgumentHelp("Token dataset folder.", valueName: "dataset"))
  var dataset: String

  @Option(help: "Format: npy, olmo, llmc, mds.")
  var to: ExportFormat

  @Option(name: [.customShort("o"), .long], help: ArgumentHelp("Output folder.", valueName: "folder"))
  var output: String?

  @Flag(help: "Shuffle the documents, by --seed.")
  var shuffle = false

  @Option(help: ArgumentHelp("Write one folder per leaf cluster of this tree.", valueName: "folder"))
  var tree: String?

  @Option(help: ArgumentHelp("Sample rows from this mixture.", valueName: "file"))
  var mixture: String?

  @Option(help: ArgumentHelp("With --mixture, tokens to sample, rounded up to whole rows.", valueName: "n"))
  var tokens: Amount?

  @Option(help: ArgumentHelp("Row length in tokens, with --mixture or mds; an incomplete last row is left out.", valueName: "n"))
  var sequence: Int?

  @Option(help: ArgumentHelp("Maximum tokens per file. (default: 100M; mds: 64 MiB)", valueName: "n"))
  var shardTokens: Amount?

  @Flag(help: "Show what would be written, and write nothing.")
  var dryRun = false

  @OptionGroup var seed: SeedOption
  @OptionGroup var common: CommonOptions

  var propertyFlags: PropertyFlags { .batch }
  var inputs: [String] { [dataset, tree, mixture].compactMap { $0 } }
  var outputs: [String] { output.map { [$0] } ?? [] }
  var lockedOutputs: [String] { dryRun ? [] : outputs }

  func validate() throws {
    guard output != nil || dryRun else { throw ValidationError("Missing expected option '-o <folder>'") }
    guard mixture == nil || (tree == nil && !shuffle) else {
      throw ValidationError("--mixture cannot be combined with --tree or --shuffle")
    }
    guard (mixture == nil) == (tokens == nil) else { throw ValidationError("--mixture requires --tokens, and --tokens requires --mixture") }
    guard mixture == nil || sequence != nil else { throw ValidationError("--mixture requires --sequence") }
    guard sequence == nil || mixture != nil || to == .mds else { throw ValidationError("--sequence requires --mixture or --to mds") }
  }

  func perform(_ session: Session) throws -> Outcome {
    let dataset = try TokenDataset(dataset)
    var configuration = TokenExport.Configuration(
      format: to, shardTokens: shardTokens?.value, sequence: to == .mds ? sequence : nil, shuffle: shuffle ? seed.seed : nil)
    var inputs: [String: String] = [:]
    let parts: [(folder: String, source: any ExportSource)]
    if let mixture {
      let rows = try MixtureRows(dataset, mixture: mixture, seed: seed.seed, sequence: sequence ?? 0, tokens: tokens?.value ?? 0)
      configuration.mixture = try Checksum.hex(file: mixture)
      configuration.shuffle = seed.seed
      configuration.sequence = sequence
      parts = [("", rows)]
    } else if let tree {
      let stored = try StoredTree(tree)
      let assignment = try dataset.assignment(to: stored)
      inputs["assignment"] = assignment.fingerprint
      configuration.tree = stored.fingerprint
      let leaves = try DocumentSegments.byLeaf(
        try DocumentInfoReader(dataset), assignment: assignment, format: to, shuffle: configuration.shuffle)
      parts = leaves.enumerated().map { ("leaf-" + String(100_000 + $0).dropFirst(), $1) }
    } else {
      parts = [("", DocumentSegments(try DocumentInfoReader(dataset), format: to, shuffle: configuration.shuffle))]
    }
    let export = try TokenExport(configuration, of: dataset)
    let plan = export.plan(parts)
    guard let output, !dryRun else {
      return Outcome(
        report: try JSONValue(encoding: ["samples": plan.samples, "tokens": plan.tokens, "bytes": plan.bytes]),
        lines: [
          "  \(Format.count(plan.samples)) \(mixture == nil ? "documents or parts of documents" : "rows"), \(Format.count(plan.tokens)) tokens, about \(Format.bytes(plan.bytes))"
        ])
    }
    let account = try session.with("export") { progress in
      try export.write(parts, to: output, inputs: inputs, tool: Weir.tool, progress: progress)
    }
    return Outcome(accounts: [account], report: try JSONValue(encoding: ["accounts": [account]]))
  }

  func forecast(_ forecast: inout Forecast) throws -> Forecast.Row {
    let size = try forecast.size(of: [dataset])
    let exported = tokens.map { Double($0.value) } ?? size.tokens
    return Forecast.Row(
      documents: mixture == nil ? size.documents : nil, tokens: exported, memory: 64e6 + (to == .mds ? 128e6 : 0), disk: exported * 2)
  }
}

/// Rows sampled from a mixture, the same as those of `weir feed`.
private struct MixtureRows: ExportSource {
  let loader: PackedLoader
  let count: Int

  init(_ dataset: TokenDataset, mixture: String, seed: UInt64, sequence: Int, tokens: Int) throws {
    var configuration = LoaderConfiguration(dataset: dataset.path)
    (configuration.mixture, configuration.rows, configuration.sequence, configuration.randomSeed) = (mixture, 1, sequence, seed)
    loader = try configuration.loader(tokens: tokens)
    guard (1...1_000_000_000_000).contains(tokens) else { throw WeirError("--tokens", "must be in 1…10¹², not \(tokens)") }
    count = (tokens - 1) / sequence + 1
  }

  var fixedLength: Int? { loader.sequence }

  func length(_ index: Int) -> Int { loader.sequence }

  func sample(_ index: Int) throws -> ExportSample { ExportSample(id: "row-\(index)", tokens: try loader.batch(step: index).tokens) }
}

extension ExportFormat: ExpressibleByArgument {}
