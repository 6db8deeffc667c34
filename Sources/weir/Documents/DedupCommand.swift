import ArgumentParser
import Deduplication
import Pipeline
import Primitives
import Storage

/// `weir dedup`: removes exact and near duplicates.
struct DedupCommand: ChainCommand {
  static let configuration = CommandConfiguration(
    commandName: "dedup",
    abstract: "Removes exact and near-duplicate documents; of each group one stays.",
    discussion: """
      --exact compares the text with runs of blanks collapsed, and keeps the first. --paragraphs and --lines do so with parts of
      documents. --fuzzy finds near-duplicates by MinHash (word 5-grams, 14 bands of 8 rows), compares candidates by the Jaccard
      similarity of their shingles, and keeps one document of each group. Without any of them, --exact and then --fuzzy.

      For engines that shuffle there are the halves of --fuzzy: --signatures writes
      the MinHash values of each document; documents that agree in all rows of a
      band are candidates, which --buckets takes, compares and joins.

      Example: weir dedup corpora/sample --exact --fuzzy --rejects duplicates.jsonl -o unique.jsonl.zst
      """)

  @OptionGroup var input: InputOptions
  @OptionGroup var output: OutputOptions

  @Flag(help: "Drop documents whose text was there before.")
  var exact = false

  @Flag(help: "Drop paragraphs that were there before.")
  var paragraphs = false

  @Flag(help: "Drop lines that were there before.")
  var lines = false

  @Flag(help: "Drop documents that are nearly the same as another.")
  var fuzzy = false

  @Option(
    help: ArgumentHelp(
      "Least Jaccard similarity of near-duplicates. Given without --bands and --rows, it chooses them too, to find 9 in 10 of such pairs. (default: 0.7)",
      valueName: "share"))
  var threshold: Double?

  @Flag(inversion: .prefixedNo, help: "Compare candidates exactly before they count as near-duplicates.")
  var verify = true

  @Option(help: ArgumentHelp("Bands of the signature. (default: 14)", valueName: "n"))
  var bands: Int?

  @Option(help: ArgumentHelp("Rows of a band. (default: 8)", valueName: "n"))
  var rows: Int?

  @Option(help: "Which of a group stays: first, longest.")
  var keep = DeduplicationConfiguration.Keep.first

  @Option(
    help: ArgumentHelp(
      "Memory for what was seen, signatures and shingles, such as 256M; beyond it temporary files are used.", valueName: "bytes"))
  var memory = Amount(DeduplicationConfiguration.defaultSpillLimit)

  @Option(
    help: ArgumentHelp("Where the report on near-duplicates goes: groups by size, examples, expected recall (JSON).", valueName: "file"))
  var report: String?

  @Option(
    help: ArgumentHelp(
      "Write the signatures of the documents (.npy, bands × rows values each) and nothing else.", valueName: "file"))
  var signatures: String?

  @Option(
    help: ArgumentHelp(
      "Take candidates from a file: JSON Lines, each an array of documents, counted from 0.",
      valueName: "file"))
  var buckets: String?

  @Flag(help: "Say what memory and disk the work will take, and do nothing.")
  var dryRun = false

  @OptionGroup var seed: SeedOption
  @OptionGroup var stream: StreamOptions
  @OptionGroup var common: CommonOptions

  var inputs: [String] { input.paths + (buckets.map { [$0] } ?? []) }
  var outputs: [String] { (signatures ?? output.output).map { [$0] } ?? [] }

  var writesDataToOutput: Bool { !dryRun && outputs.allSatisfy { $0 == "-" } }

  /// What is done, in order.
  private var units: [ExactUnit] {
    let isExact = exact || isDefault && signatures == nil && buckets == nil
    return (isExact ? [.documents] : []) + (paragraphs ? [.paragraphs] : []) + (lines ? [.lines] : [])
  }
  private var isFuzzy: Bool { fuzzy || isDefault }
  private var isDefault: Bool { !exact && !paragraphs && !lines && !fuzzy }

  func extend(_ chain: inout ChainBuilder) throws {
    try chain.add(input: input, output: output, stream: stream)
    let configuration = try configuration()
    for unit in units {
      chain.links.append(BarrierLink(ExactBarrier(unit: unit, configuration: configuration, memory: memory.value)))
    }
    if let signatures {
      chain.end = SignatureEnd(path: signatures, configuration: configuration)
    } else if isFuzzy {
      let barrier = FuzzyBarrier(
        configuration: configuration, memory: memory.value, findings: chain.findings, file: report, buckets: buckets)
      chain.links.append(BarrierLink(barrier))
    }
  }

  func perform(_ session: Session) throws -> Outcome {
    guard dryRun else { return try ChainBuilder.fuse([self]).perform(session) }
    guard !input.paths.isEmpty, !input.paths.contains("-") else {
      throw WeirError("--dry-run", "standard input can be read once only", remedy: "name the files")
    }
    var world = Forecast()
    _ = try forecast(&world)
    guard let size = world.current else { return Outcome() }
    let estimate = try estimate(size)
    return Outcome(
      report: try JSONValue(encoding: [
        "documents": size.documents.rounded(), "bytes": size.bytes.rounded(), "memory": estimate.memory, "temporary_disk": estimate.disk,
      ]),
      lines: [
        "  about \(Format.count(Int(size.documents))) documents, \(Format.bytes(Int(size.bytes))) of text",
        "  \(Format.bytes(Int(estimate.memory))) of memory, \(Format.bytes(Int(estimate.disk))) of temporary files at most",
      ])
  }

  func validate() throws {
    for (flag, value) in [("--report", report), ("--signatures", signatures), ("--buckets", buckets)] where value != nil && !isFuzzy {
      throw ValidationError("\(flag) is about near-duplicates; add --fuzzy or leave \(flag) out")
    }
    if signatures != nil, let other = output.output != nil ? "-o" : buckets != nil ? "--buckets" : report != nil ? "--report" : nil {
      throw ValidationError("--signatures writes signatures alone; leave \(other) out")
    }
    do { _ = try configuration() } catch { throw ValidationError("\(error)") }
  }

  private func configuration() throws -> DeduplicationConfiguration {
    var configuration = DeduplicationConfiguration()
    if let threshold { configuration.threshold = threshold }
    if let threshold, bands == nil, rows == nil, threshold > 0, threshold <= 1 {
      (configuration.bands, configuration.rows) = DeduplicationConfiguration.banding(threshold: threshold)
    }
    if let bands { configuration.bands = bands }
    if let rows { configuration.rows = rows }
    configuration.verify = verify
    configuration.keep = keep
    configuration.seed = seed.seed
    try configuration.validate()
    return configuration
  }

  func forecast(_ world: inout Forecast) throws -> Forecast.Row {
    var row = try world.documents(input, output: output)
    if let size = world.current { row.memory = try estimate(size).memory }
    return row
  }

  /// Bytes of memory and of temporary files at the peak.
  private func estimate(_ size: Forecast.Size) throws -> (memory: Double, disk: Double) {
    let configuration = try configuration()
    let (documents, bytes) = (Int(size.documents), Int(size.bytes))
    // Batches under way: 2 a thread between any two stages, about 1 MiB each as they come, thrice that with what is made of them.
    var memory = 48e6 + Double(common.threads) * 2 * 3e6 * Double(units.count + (isFuzzy ? 2 : 1))
    var disk = 0.0
    for unit in units {
      let need = ExactDeduplicator.estimate(unit, documents: documents, bytes: bytes, memory: self.memory.value)
      memory += Double(need.memory)
      disk = max(disk, Double(need.disk))
    }
    if isFuzzy {
      let shingles = bytes / max(1, 6 * documents)
      memory += Double(configuration.estimateMemory(documents: documents, shinglesPerDocument: shingles, spillLimit: self.memory.value))
      disk += Double(bytes + 160 * documents)
      disk += Double(configuration.estimateDisk(documents: documents, shinglesPerDocument: shingles, spillLimit: self.memory.value))
    }
    return (memory, disk)
  }
}

extension DeduplicationConfiguration.Keep: ExpressibleByArgument {}
