import ArgumentParser
import Artifacts
import Loading
import Pipeline
import Primitives
import Storage
import Tokens
import Workflows

/// `weir pack DATASET`: packed rows, and the order in which a run draws them.
struct PackCommand: SeededCommand {
  static let configuration = CommandConfiguration(
    commandName: "pack",
    abstract: "Pack a token dataset into rows of one sequence length.",
    discussion: """
      concat joins the documents of a group in random order and cuts them into rows: only each group's last row has padding. \
      best-fit cuts no document that fits in a row (Ding et al. 2024). pad gives every document a row of its own. Every token \
      is in one row; the cuts are the same in every epoch.

      Rows are grouped by the clusters of --tree (its leaves, or the nodes at --level), by --by source or another member of \
      the documents such as metadata.domain, or not at all. Neighboring windows of a document in one group stay together. \
      Commands that need rows pack them on first use; pack does it ahead, shows what it comes to, or puts them elsewhere (-o).

      --order FILE also writes which row comes at which position for a --mixture, --tokens and --seed: what weir_feed and \
      weir feed --order read.

      EXAMPLES:
        weir pack out/dataset --sequence 4096 --packing best-fit
        weir pack out/dataset --sequence 1024 --mixture crisp.json --tokens 1B \\
          --order order.json
      """)

  @Argument(help: ArgumentHelp("Token dataset folder.", valueName: "dataset"))
  var dataset: String

  @Option(help: ArgumentHelp("Sequence length in tokens.", valueName: "n"))
  var sequence = 256

  @Option(help: "How rows are filled.")
  var packing = RowPacking.concat

  @Option(help: ArgumentHelp("Group rows by the clusters of this tree.", valueName: "folder"))
  var tree: String?

  @Option(help: ArgumentHelp("Level of the tree. (default: its leaves)", valueName: "n"))
  var level: Int?

  @Option(help: ArgumentHelp("Group rows by a member of the documents, such as source.", valueName: "name"))
  var by: String?

  @Option(name: [.customShort("o"), .long], help: ArgumentHelp("Output folder. (default: in the dataset's folder)", valueName: "folder"))
  var output: String?

  @Option(help: ArgumentHelp("Seed of the order in which concat joins documents.", valueName: "n"))
  var concatSeed: UInt64 = 1

  @Option(help: ArgumentHelp("Write the row order of a run to this file.", valueName: "file"))
  var order: String?

  @Option(help: ArgumentHelp("With --order, the mixture, schedule or blend. (default: uniform over tokens)", valueName: "file"))
  var mixture: String?

  @Option(help: ArgumentHelp("With --order, the length of the run, for which weights are capped.", valueName: "n"))
  var tokens: Amount?

  @Option(help: ArgumentHelp("With --order, the cap on epochs over any group.", valueName: "n"))
  var maxEpochs: Double?

  @OptionGroup var seed: SeedOption
  @OptionGroup var common: CommonOptions

  var propertyFlags: PropertyFlags { .batch + LoaderOptions.propertyFlags + ["by": "--by", "level": "--level"] }
  var inputs: [String] { [dataset, tree].compactMap { $0 } + LoaderConfiguration.inputs(of: mixture) }
  var outputs: [String] { [output, order].compactMap { $0 } }

  func validate() throws {
    guard tree == nil || by == nil else { throw ValidationError("Give either --tree or --by") }
    guard order != "-" else { throw ValidationError("--order writes a file, not standard output") }
    guard level == nil || tree != nil else { throw ValidationError("--level requires --tree") }
    guard level ?? 1 >= 0 else { throw ValidationError("--level must be at least 0") }
    guard order != nil || (mixture == nil && tokens == nil && maxEpochs == nil) else {
      throw ValidationError("--mixture, --tokens and --max-epochs require --order")
    }
    guard mixture == nil || output == nil || tree != nil || by != nil else {
      throw ValidationError("-o with --mixture requires --tree or --by, the groups of the mixture")
    }
    guard mixture == nil || output != nil || (tree == nil && by == nil) else {
      throw ValidationError("--mixture says how rows are grouped; leave out --tree and --by, or name the rows with -o")
    }
  }

  func perform(_ session: Session) throws -> Outcome {
    // With a mixture, the rows are those of its groups, unless others are asked for.
    guard let order, mixture != nil, output == nil else {
      let rows = try session.with("pack", pack)
      return try outcome([rows], order: order.map { try write($0, rows: rows.path, session).order })
    }
    let loader = try write(order, rows: nil, session)
    return try outcome(loader.sources, order: loader.order)
  }

  private func pack(_ progress: Progress) throws -> PackedRows {
    let store = try RowStore(dataset)
    var configuration = PackDataset()
    (configuration.sequence, configuration.packing, configuration.randomSeed) = (sequence, packing, concatSeed)
    if let tree {
      configuration.groups = try store.groups(of: StoredTree(tree), level: level)
    } else if let by {
      configuration.groups = .field(by)
    }
    return try store.rows(configuration, in: output, repairs: true) { _ in try progress.checkStop() }
  }

  private func write(_ order: String, rows: String?, _ session: Session) throws -> PackedLoader {
    var configuration = LoaderConfiguration(dataset: dataset)
    (configuration.mixture, configuration.packedRows, configuration.packing) = (mixture, rows, packing)
    (configuration.sequence, configuration.randomSeed, configuration.maxEpochs) = (sequence, seed.seed, maxEpochs)
    configuration.rows = 1
    let loader = try session.with("pack") { try configuration.loader(tokens: tokens?.value, progress: $0) }
    try loader.order.write(to: order)
    return loader
  }

  private func outcome(_ rows: [PackedRows], order: RowOrder?) throws -> Outcome {
    let reports = rows.map { PackReport($0) }
    let drawn = order.map { OrderReport($0, rows: tokens.map { ($0.value + sequence - 1) / sequence }) }
    let report = PackOutcome(rows: reports, order: drawn)
    return Outcome(report: try JSONValue(encoding: report), lines: reports.flatMap(\.lines) + (drawn?.lines(12) ?? []))
  }

  func forecast(_ forecast: inout Forecast) throws -> Forecast.Row {
    let size = try forecast.size(of: [dataset])
    return Forecast.Row(
      documents: size.documents, tokens: size.tokens, memory: 64e6 + 100 * size.documents,
      disk: 24 * size.documents + 32 * size.tokens / Double(sequence))
  }
}

/// The report of `weir pack`: rows of each dataset, and what an order draws from them.
private struct PackOutcome: Encodable {
  var rows: [PackReport]
  var order: OrderReport?
}

extension PackReport {
  var lines: [String] {
    let percent = Format.percent
    return [
      "  \(Format.count(rows)) rows of \(Format.count(sequence)) tokens in \(Format.count(groups)) \(groups == 1 ? "group" : "groups"): \(path)",
      "  \(Format.count(tokens)) tokens, \(percent(paddingShare, 2)) padding, \(String(format: "%.1f", documentsPerRow)) documents per row",
      "  \(Format.count(cutDocuments)) documents or parts are cut; \(percent(wholeShare, 1)) of the tokens see their whole document",
    ]
  }
}
