import ArgumentParser
import Artifacts
import Export
import Loading
import Pipeline
import Primitives
import Storage
import Tokens

/// `weir export DATASET`: tokens in the formats of other trainers.
struct ExportCommand: WeirCommand {
  static let configuration = CommandConfiguration(
    commandName: "export",
    abstract: "Writes tokens in the formats of other trainers.",
    discussion: """
      npy: flat arrays as numpy.load reads them. olmo: the same without a header, with the documents' borders in .csv.gz, as OLMo-core
      reads them. llmc: .bin files of llm.c (u16, or u32 of Llama 3). mds: MosaicML shards, a sample a document (columns id, source,
      tokens) or, with --sequence, rows of so many tokens.

      Documents stand in the order of the dataset unless --shuffle; an end-of-document token ends each (llmc: begins it). With --tree
      each cluster has a folder of its own. With --mixture rows of --sequence tokens are drawn, --tokens in all, the same as weir feed
      hands out.

      Example: weir export out/dataset --to mds --shuffle -o out/mds
      """)

  @Argument(help: ArgumentHelp("The token dataset.", valueName: "dataset"))
  var dataset: String

  @Option(help: "The format: npy, olmo, llmc, mds.")
  var to: ExportFormat

  @Option(name: [.customShort("o"), .long], help: ArgumentHelp("The folder to write.", valueName: "folder"))
  var output: String?

  @Flag(help: "Documents in an order drawn with --seed.")
  var shuffle = false

  @Option(help: ArgumentHelp("A folder for each cluster of this tree.", valueName: "folder"))
  var tree: String?

  @Option(help: ArgumentHelp("Draw rows by a mixture (weir sample).", valueName: "file"))
  var mixture: String?

  @Option(help: ArgumentHelp("Tokens to draw with --mixture, rounded up to whole rows.", valueName: "n"))
  var tokens: Amount?

  @Option(help: ArgumentHelp("Tokens of a row, with --mixture or mds; what does not fill one is left over.", valueName: "n"))
  var sequence: Int?

  @Option(help: ArgumentHelp("Tokens after which a new file begins; 100 M otherwise, for mds 64 MiB.", valueName: "n"))
  var shardTokens: Amount?

  @Flag(help: "Say what would be written, and write nothing.")
  var dryRun = false

  @OptionGroup var seed: SeedOption
  @OptionGroup var common: CommonOptions

  var inputs: [String] { [dataset, tree, mixture].compactMap { $0 } }
  var outputs: [String] { output.map { [$0] } ?? [] }

  func validate() throws {
    guard output != nil || dryRun else { throw ValidationError("Missing expected option '-o <folder>'") }
    guard mixture == nil || (tree == nil && !shuffle) else {
      throw ValidationError("--mixture draws rows of all clusters; it cannot go with --tree or --shuffle")
    }
    guard (mixture == nil) == (tokens == nil) else { throw ValidationError("--mixture and --tokens go together") }
    guard mixture == nil || sequence != nil else { throw ValidationError("--mixture needs --sequence") }
    guard sequence == nil || mixture != nil || to == .mds else { throw ValidationError("--sequence goes with --mixture or --to mds") }
  }

  func perform(_ session: Session) throws -> Outcome {
    let dataset = try TokenDataset(dataset)
    var configuration = TokenExport.Configuration(
      format: to, shardTokens: shardTokens?.value, sequence: to == .mds ? sequence : nil, shuffle: shuffle ? seed.seed : nil)
    var inputs: [String: String] = [:]
    let parts: [(folder: String, source: any ExportSource)]
    if let mixture {
      let rows = try MixtureRows(dataset, mixture: mixture, seed: seed.seed, sequence: sequence ?? 0, tokens: tokens?.value ?? 0)
      configuration.mixture = Checksum.hex(try Checksum.xxh3(file: mixture))
      configuration.shuffle = seed.seed
      configuration.sequence = sequence
      parts = [("", rows)]
    } else if let tree {
      let stored = try StoredTree(tree)
      let assignment = try Clusters.assignment(of: dataset) { $0.tree == stored.fingerprint }
      inputs["assignment"] = assignment.fingerprint
      configuration.tree = stored.fingerprint
      let leaves = try DocumentPieces.byLeaf(
        try DocumentInfoReader(dataset), assignment: assignment, format: to, shuffle: configuration.shuffle)
      parts = leaves.enumerated().map { ("leaf-" + String(100_000 + $0).dropFirst(), $1) }
    } else {
      parts = [("", DocumentPieces(try DocumentInfoReader(dataset), format: to, shuffle: configuration.shuffle))]
    }
    let export = try TokenExport(configuration, of: dataset)
    let plan = export.plan(parts)
    guard let output, !dryRun else {
      return Outcome(
        report: try JSONValue(encoding: ["samples": plan.samples, "tokens": plan.tokens, "bytes": plan.bytes]),
        lines: [
          "  \(Format.count(plan.samples)) \(mixture == nil ? "documents or parts of them" : "rows"), \(Format.count(plan.tokens)) tokens, about \(Format.bytes(plan.bytes))"
        ])
    }
    let account = try session.with("export") { progress in
      try export.write(parts, to: output, inputs: inputs, tool: Weir.tool, progress: progress)
    }
    return Outcome(accounts: [account], report: try JSONValue(encoding: ["accounts": [account]]))
  }

  func forecast(_ world: inout Forecast) throws -> Forecast.Row {
    let size = try world.size(of: [dataset])
    let drawn = tokens.map { Double($0.value) } ?? size.tokens
    return Forecast.Row(
      documents: mixture == nil ? size.documents : nil, tokens: drawn, memory: 64e6 + (to == .mds ? 128e6 : 0), disk: drawn * 2)
  }
}

/// The rows that `weir feed` hands out, one after another.
private struct MixtureRows: ExportSource {
  let loader: PackedLoader
  let count: Int

  init(_ dataset: TokenDataset, mixture: String, seed: UInt64, sequence: Int, tokens: Int) throws {
    loader = try Load.loader(dataset, mixture: mixture, seed: seed, rows: 1, sequence: sequence)
    guard tokens > 0 else { throw WeirError("--tokens", "must be at least 1") }
    count = (tokens - 1) / sequence + 1
  }

  func length(_ index: Int) -> Int { loader.sequence }

  func sample(_ index: Int) throws -> ExportSample { ExportSample(id: "row-\(index)", tokens: try loader.batch(step: index).tokens) }
}

extension ExportFormat: ExpressibleByArgument {}
