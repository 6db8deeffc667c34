import ArgumentParser
import Artifacts
import Documents
import Export
import Loading
import Pipeline
import Primitives
import Storage
import Tokens
import Workflows

/// `weir export DATASET`: writes documents, or tokens in the format of another trainer.
struct ExportCommand: SeededCommand {
  static let configuration = CommandConfiguration(
    commandName: "export",
    abstract: "Export documents, or tokens in the format of another trainer.",
    discussion: """
      Documents: jsonl writes JSON Lines, for example documents.jsonl.zst; parquet writes a Parquet file through the program \
      duckdb. The text is decoded from the tokens, so where the tokenizer normalizes text, it is the normalized one. Ids, \
      sources, origins and all other members are those of the corpus.

      Tokens: npy, arrays for numpy.load. olmo, flat arrays without a header plus document boundaries in .csv.gz, for \
      OLMo-core. llmc, llm.c .bin files (uint16, or uint32 for large vocabularies). mds, MosaicML shards with one sample per \
      document (id, source, tokens), or rows of --sequence tokens. megatron, .bin and .idx pairs with one sequence per \
      document. Each document ends with an end-of-document token (llmc: begins with it). --tree writes one folder per \
      cluster.

      --mixture exports what a run of --tokens tokens samples: the same rows of --sequence tokens as weir feed. npy, olmo and \
      mds keep the rows and store document boundaries beside them (.segments.npy, .csv.gz, the column doc_lens); megatron \
      and llmc get one sequence per segment, in the same order, each with an end-of-document token. As documents, the subset \
      is every document of which the run reads at least one token, once and in the order of the corpus; where the run has \
      fewer tokens than a cluster, that is a part of the cluster. "epochs" says how often the mixture expects a document to \
      be read, and "drawn" how often this run reads it. "cluster" is the cluster of most of its tokens; with --tree, it is \
      the tree's, and "window_clusters" lists that of each window.

      Documents keep the order of the dataset unless --shuffle is given.

      EXAMPLES:
        weir export out/dataset --to mds --shuffle -o out/mds
        weir export out/dataset --to npy --mixture crisp.json --tokens 10M \\
          --sequence 1024 -o out/npy
        weir export out/dataset --to jsonl --mixture crisp.json -o crisp.jsonl.zst
      """)

  /// What `--to` names.
  enum Target: Equatable {
    case documents(DocumentFormat)
    case tokens(ExportFormat)
  }

  @Argument(help: ArgumentHelp("Token dataset folder.", valueName: "dataset"))
  var dataset: String

  @Option(help: "Format: documents or tokens, as above.")
  var to: Target

  @Option(
    name: [.customShort("o"), .long],
    help: ArgumentHelp(
      "Output folder; with documents, the name of one file (.jsonl, .jsonl.zst, .parquet), or - for JSON Lines to another weir command.",
      valueName: "path"
    ))
  var output: String?

  @Flag(help: "Shuffle the documents, by --seed.")
  var shuffle = false

  @Option(
    help: ArgumentHelp("Write one folder per leaf cluster of this tree; for documents, add their clusters.", valueName: "folder"))
  var tree: String?

  @Option(help: ArgumentHelp("Export what this mixture, schedule or blend samples.", valueName: "file"))
  var mixture: String?

  @Option(help: ArgumentHelp("Export the run of this row order, in place of --mixture, --sequence and --seed.", valueName: "file"))
  var order: String?

  @Option(
    help: ArgumentHelp(
      "With --mixture, tokens of the run, rounded up to whole rows. (default for documents: those that weir sample planned)", valueName: "n"
    ))
  var tokens: Amount?

  @Option(
    help: ArgumentHelp(
      "Row length in tokens, with --mixture or mds; an incomplete last row is left out. (default for documents: 1024)", valueName: "n"))
  var sequence: Int?

  @Option(help: ArgumentHelp("Maximum tokens per file. (default: 100M; megatron: 2^28; mds: 64 MiB)", valueName: "n"))
  var shardTokens: Amount?

  @Flag(help: "Show what would be written, and write nothing.")
  var dryRun = false

  @OptionGroup var seed: SeedOption
  @OptionGroup var common: CommonOptions

  var propertyFlags: PropertyFlags { .batch + ["tokens": "--tokens"] }
  var inputs: [String] { [dataset, tree, order].compactMap { $0 } + LoaderConfiguration.inputs(of: mixture) }
  var outputs: [String] { output.map { [$0] } ?? [] }
  var lockedOutputs: [String] { dryRun ? [] : outputs }
  var writesDataToOutput: Bool { output == "-" && !dryRun }

  func validate() throws {
    guard output != nil || dryRun else { throw ValidationError("Missing expected option '-o <path>'") }
    guard mixture == nil || order == nil else { throw ValidationError("Give either --mixture or --order") }
    guard order == nil || sequence == nil else { throw ValidationError("--order has its own --sequence; leave it out") }
    guard tokens == nil || samples else { throw ValidationError("--tokens requires --mixture or --order") }
    switch to {
    case .documents(let format):
      guard shardTokens == nil else { throw ValidationError("--shard-tokens requires a format of tokens") }
      guard sequence == nil || mixture != nil else { throw ValidationError("--sequence requires --mixture") }
      if let output, format == .parquet, !output.lowercased().hasSuffix(".parquet") {
        throw ValidationError("--to parquet writes one file; name it .parquet, not \(output)")
      }
      if let output, format == .jsonl, output != "-" { try usage { _ = try OutputCoding.of(path: output, lines: true) } }
    case .tokens(let format):
      guard output != "-" else { throw ValidationError("--to \(format.rawValue) writes a folder, not standard output") }
      guard !samples || (tree == nil && !shuffle) else {
        throw ValidationError("--mixture and --order cannot be combined with --tree or --shuffle")
      }
      guard mixture == nil || tokens != nil else { throw ValidationError("--mixture requires --tokens") }
      guard mixture == nil || sequence != nil else { throw ValidationError("--mixture requires --sequence") }
      guard sequence == nil || mixture != nil || format == .mds else { throw ValidationError("--sequence requires --mixture or --to mds") }
    }
  }

  /// Whether to export what a run samples.
  private var samples: Bool { mixture != nil || order != nil }

  private func rows(of dataset: TokenDataset) throws -> MixtureRows? {
    if let order {
      return try MixtureRows(dataset, order: order, tokens: tokens?.value)
    }
    return try mixture.map {
      try MixtureRows(dataset, mixture: $0, randomSeed: seed.seed, sequence: sequence ?? Window.maximum, tokens: tokens?.value)
    }
  }

  func perform(_ session: Session) throws -> Outcome {
    let dataset = try TokenDataset(dataset), rows = try rows(of: dataset)
    switch to {
    case .documents(let format): return try writeDocuments(dataset, rows, format, session)
    case .tokens(let format): return try writeTokens(dataset, rows, format, session)
    }
  }

  // MARK: documents

  private func writeDocuments(_ corpus: TokenDataset, _ rows: MixtureRows?, _ format: DocumentFormat, _ session: Session) throws -> Outcome
  {
    let dataset = try rows?.dataset() ?? corpus
    guard tree == nil || dataset.path == corpus.path else {
      throw WeirError("--tree", "the mixture samples from its specialist seed, which no tree is for", remedy: "leave --tree out")
    }
    let leaves = try tree.map { try dataset.assignment(to: StoredTree($0)).leaves }
    let draw = try rows.map { rows in try session.with("draw") { try rows.draw(progress: $0) } }
    let queue = DocumentQueue(dataset, numbers: draw?.documents, shuffle: shuffle ? seed.seed : nil)
    let tokens = (0..<queue.count).reduce(0) { $0 + dataset.length(queue[$1]) }
    let bytes = Int(Double(tokens) * Double(dataset.byteCount) / Double(max(1, dataset.tokenCount)))
    var line = "  \(Format.count(queue.count)) documents, \(Format.count(tokens)) tokens, about \(Format.bytes(bytes)) of text"
    if draw != nil { line += ", of \(Format.count(dataset.documentCount)) documents in the dataset" }
    var report = try JSONValue(encoding: ["documents": queue.count, "tokens": tokens, "bytes": bytes])
    guard let output, !dryRun else { return Outcome(report: report, lines: [line]) }
    let decode = try DecodeDocuments(
      try DocumentInfoReader(dataset), annotations: DocumentAnnotations(dataset, leaves: leaves, draw: draw))
    let accounts = try session.with("export") { progress in
      let threads = session.threads
      switch format {
      case .jsonl:
        return try Chain<[Document]>().run(
          from: queue.then(decode), to: DocumentSink(path: output, threads: threads), threads: threads, progress: progress)
      case .parquet:
        let schema = try decode.schema(queue, progress: progress)
        return try Chain<[Document]>().run(
          from: queue.then(decode), to: ParquetSink(path: output, schema: schema), threads: threads, progress: progress)
      }
    }
    report.set("accounts", try JSONValue(encoding: accounts))
    let changed = accounts.reduce(0) { $0 + Int($1.extra[DecodeDocuments.changed] ?? 0) }
    let note = "  note: the tokenizer normalizes text: \(Format.count(changed)) documents do not have the length of the original"
    return Outcome(accounts: accounts, report: report, lines: (draw == nil ? [] : [line]) + (changed > 0 ? [note] : []))
  }

  // MARK: tokens

  private func writeTokens(_ dataset: TokenDataset, _ rows: MixtureRows?, _ format: ExportFormat, _ session: Session) throws -> Outcome {
    var configuration = TokenExport.Configuration(
      format: format, shardTokens: shardTokens?.value, sequence: format == .mds ? sequence : nil, shuffle: shuffle ? seed.seed : nil)
    try configuration.validate()
    var inputs: [String: String] = [:]
    let parts: [(folder: String, source: any ExportSource)]
    if let rows {
      configuration.mixture = try Checksum.hex(file: mixture ?? order ?? "")
      configuration.shuffle = order == nil ? seed.seed : nil
      configuration.sequence = rows.sequence
      if format.keepsRows {
        if format == .olmo { try rows.nameDocuments() }
        parts = [("", rows)]
      } else {
        parts = [("", try session.with("draw") { try rows.segments(format: format, progress: $0) })]
      }
    } else if let tree {
      let stored = try StoredTree(tree)
      let assignment = try dataset.assignment(to: stored)
      inputs["assignment"] = assignment.fingerprint
      configuration.tree = stored.fingerprint
      let leaves = try DocumentSegments.byLeaf(
        try DocumentInfoReader(dataset), assignment: assignment, format: format, shuffle: configuration.shuffle)
      parts = leaves.enumerated().map { ("leaf-" + String(100_000 + $0).dropFirst(), $1) }
    } else {
      parts = [("", DocumentSegments(try DocumentInfoReader(dataset), format: format, shuffle: configuration.shuffle))]
    }
    let export = try TokenExport(configuration, of: dataset)
    let plan = export.plan(parts)
    guard let output, !dryRun else {
      let unit = rows == nil ? "documents or parts of documents" : format.keepsRows ? "rows" : "segments"
      return Outcome(
        report: try JSONValue(encoding: ["samples": plan.samples, "tokens": plan.tokens, "bytes": plan.bytes]),
        lines: ["  \(Format.count(plan.samples)) \(unit), \(Format.count(plan.tokens)) tokens, about \(Format.bytes(plan.bytes))"])
    }
    let account = try session.with("export") { progress in
      try export.write(parts, to: output, inputs: inputs, tool: Weir.tool, progress: progress)
    }
    return Outcome(accounts: [account], report: try JSONValue(encoding: ["accounts": [account]]))
  }

  func forecast(_ forecast: inout Forecast) throws -> Forecast.Row {
    let size = try forecast.size(of: [dataset])
    guard case .tokens(let format) = to else {
      // A mixture exports at most all documents, and no more tokens than its run has, except for the rest of the last documents.
      let share = tokens.map { min(1, Double($0.value) / max(1, size.tokens)) } ?? 1
      var part = size
      (part.documents, part.bytes, part.tokens) = (size.documents * share, size.bytes * share, 0)
      if let output { forecast.sizes[output] = part }
      let factor = output?.hasSuffix(".jsonl") == true ? 1.1 : 0.3
      return Forecast.Row(documents: part.documents, memory: 64e6 + 16 * size.documents, disk: part.bytes * factor)
    }
    let exported = tokens.map { Double($0.value) } ?? size.tokens
    return Forecast.Row(
      documents: mixture == nil ? size.documents : nil, tokens: exported, memory: 64e6 + (format == .mds ? 128e6 : 0), disk: exported * 2)
  }
}

extension ExportCommand.Target: ExpressibleByArgument {
  init?(argument: String) {
    if let format = DocumentFormat(rawValue: argument) {
      self = .documents(format)
    } else if let format = ExportFormat(rawValue: argument) {
      self = .tokens(format)
    } else {
      return nil
    }
  }

  static var allValueStrings: [String] { DocumentFormat.allCases.map(\.rawValue) + ExportFormat.allCases.map(\.rawValue) }
}
