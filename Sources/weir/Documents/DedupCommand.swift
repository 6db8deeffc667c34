import ArgumentParser
import Deduplication
import Primitives
import Storage
import Workflows

/// `weir dedup`: removes exact and near duplicates.
struct DedupCommand: ChainCommand, SeededCommand {
  static let configuration = CommandConfiguration(
    commandName: "dedup",
    abstract: "Remove exact and near-duplicate documents.",
    discussion: """
      --exact compares whole documents after collapsing whitespace and keeps the first of each group. --paragraphs and \
      --lines do the same for parts of documents. --fuzzy finds near-duplicates by MinHash LSH over word 5-grams, verifies \
      each candidate pair by the Jaccard similarity of its shingles, and keeps one document per group. The default is \
      --exact, then --fuzzy.

      Without --threshold, --fuzzy uses FineWeb's 14 bands of 8 rows and a threshold of 0.7; they find about 56 % of the \
      pairs at similarity 0.7 and 92 % at 0.8. With --threshold, the bands and rows are chosen so that 90 % of the pairs at \
      that similarity are found, unless --bands or --rows is given.

      For --fuzzy, words are compared without case and diacritics in every script; punctuation separates them, and numbers \
      and symbols count. Texts of fewer than five words must be equal, with their punctuation.

      To let Spark or another engine do the shuffle, run the MinHash-LSH stages separately: --signatures writes the MinHash \
      values of every document, your engine groups documents that collide in a band, and --buckets reads these candidates, \
      verifies them and removes the duplicates.

      EXAMPLES:
        weir dedup corpora/sample --rejects duplicates.jsonl -o unique.jsonl.zst
        weir dedup corpora/sample --fuzzy --threshold 0.8 --dry-run
      """)

  @OptionGroup var input: InputOptions
  @OptionGroup var output: OutputOptions

  @Flag(help: "Drop documents with the same text as an earlier one.")
  var exact = false

  @Flag(help: "Drop paragraphs that occurred before.")
  var paragraphs = false

  @Flag(help: "Drop lines that occurred before.")
  var lines = false

  @Flag(help: "Drop near-duplicate documents (MinHash LSH).")
  var fuzzy = false

  @Option(help: ArgumentHelp("Minimum Jaccard similarity of near-duplicates. (default: 0.7)", valueName: "share"))
  var threshold: Double?

  @Flag(help: "Treat all numbers as equal in near-duplicates.")
  var ignoreNumbers = false

  @Flag(inversion: .prefixedNo, help: "Verify candidate pairs by exact Jaccard similarity.")
  var verify = true

  @Option(help: ArgumentHelp("Number of bands. (default: 14, or chosen by --threshold)", valueName: "n"))
  var bands: Int?

  @Option(help: ArgumentHelp("Rows per band. (default: 8, or chosen by --threshold)", valueName: "n"))
  var rows: Int?

  @Option(help: "Document to keep per group: first, longest.")
  var keep = DeduplicationConfiguration.Keep.first

  @Option(
    help: ArgumentHelp(
      "Memory for fingerprints, signatures and shingles, such as 256M; the rest goes to temporary files.", valueName: "bytes"))
  var memory = Amount(DeduplicationConfiguration.defaultSpillLimit)

  @Option(help: ArgumentHelp("Write a report on near-duplicates: groups by size, examples, expected recall (JSON).", valueName: "file"))
  var report: String?

  @Option(help: ArgumentHelp("Only write the MinHash signatures (.npy, bands × rows values per document).", valueName: "file"))
  var signatures: String?

  @Option(
    help: ArgumentHelp(
      "Read candidate groups from a file: JSON Lines, one array of document numbers (from 0) per line.",
      valueName: "file"))
  var buckets: String?

  @Flag(help: "Estimate memory and disk, and do nothing.")
  var dryRun = false

  @OptionGroup var seed: SeedOption
  @OptionGroup var stream: StreamOptions
  @OptionGroup var common: CommonOptions

  var inputs: [String] { input.paths + (buckets.map { [$0] } ?? []) }
  var outputs: [String] { (signatures ?? output.output).map { [$0] } ?? [] }
  var lockedOutputs: [String] { dryRun ? [] : outputs }

  var writesDataToOutput: Bool { !dryRun && outputs.allSatisfy { $0 == "-" } }

  /// The units of exact deduplication, in the order in which they are processed.
  private var units: [ExactUnit] {
    let isExact = exact || isDefault && signatures == nil && buckets == nil
    return (isExact ? [.documents] : []) + (paragraphs ? [.paragraphs] : []) + (lines ? [.lines] : [])
  }
  private var isFuzzy: Bool { fuzzy || isDefault }
  private var isDefault: Bool { !exact && !paragraphs && !lines && !fuzzy }

  func extend(_ chain: inout ChainBuilder) throws {
    try chain.add(input: input, output: output, stream: stream)
    let configuration = try configuration()
    for unit in units { chain.append(ExactBarrier(unit, configuration: configuration, memory: memory.value)) }
    if let signatures {
      chain.sign(into: signatures, configuration)
    } else if isFuzzy {
      let barrier = try FuzzyBarrier(configuration: configuration, memory: memory.value, reportFile: report, buckets: buckets)
      chain.append(barrier)
      chain.report { try barrier.report?.add(to: &$0) }
    }
  }

  func perform(_ session: Session) throws -> Outcome {
    guard dryRun else { return try ChainBuilder([self]).perform(session) }
    guard !input.paths.isEmpty, !input.paths.contains("-") else {
      throw WeirError("--dry-run", "cannot estimate from standard input", remedy: "give files or folders")
    }
    var sizes = Forecast()
    _ = try forecast(&sizes)
    guard let size = sizes.current else { return Outcome() }
    let estimate = try estimate(size)
    return Outcome(
      report: try JSONValue(encoding: [
        "documents": size.documents.rounded(), "bytes": size.bytes.rounded(), "memory": estimate.memory, "temporary_disk": estimate.disk,
      ]),
      lines: [
        "  about \(Format.count(Int(size.documents))) documents, \(Format.bytes(Int(size.bytes))) of text",
        "  at most \(Format.bytes(Int(estimate.memory))) of memory and \(Format.bytes(Int(estimate.disk))) of temporary files",
      ])
  }

  func validate() throws {
    for (flag, value) in [("--report", report), ("--signatures", signatures), ("--buckets", buckets)] where value != nil && !isFuzzy {
      throw ValidationError("\(flag) requires --fuzzy")
    }
    if signatures != nil, let other = output.output != nil ? "-o" : buckets != nil ? "--buckets" : report != nil ? "--report" : nil {
      throw ValidationError("--signatures cannot be combined with \(other)")
    }
    if let signatures, [".zst", ".gz", ".jsonl"].contains(where: signatures.lowercased().hasSuffix) {
      throw ValidationError("--signatures writes a NumPy array, uncompressed: name it .npy")
    }
    try usage { _ = try configuration() }
  }

  private func configuration() throws -> DeduplicationConfiguration {
    var configuration = DeduplicationConfiguration()
    configuration.threshold = threshold ?? configuration.threshold
    if let threshold, bands == nil, rows == nil, threshold > 0, threshold <= 1 {
      (configuration.bands, configuration.rows) = DeduplicationConfiguration.banding(threshold: threshold)
    }
    (configuration.bands, configuration.rows) = (bands ?? configuration.bands, rows ?? configuration.rows)
    configuration.ignoresNumbers = ignoreNumbers
    (configuration.verify, configuration.keep, configuration.randomSeed) = (verify, keep, seed.seed)
    try configuration.validate()
    return configuration
  }

  func forecast(_ forecast: inout Forecast) throws -> Forecast.Row {
    var row = try forecast.documents(input, output: output)
    if let size = forecast.current { row.memory = try estimate(size).memory }
    return row
  }

  /// Estimates the peak memory and the size of the temporary files, in bytes.
  private func estimate(_ size: Forecast.Size) throws -> (memory: Double, disk: Double) {
    let configuration = try configuration()
    let (documents, bytes) = (Int(size.documents), Int(size.bytes))
    // Batches in flight: 2 per thread between any two stages, each about 1 MiB of input, and 3 MB with the data derived from it.
    var memory = 48e6 + Double(common.threads) * 2 * 3e6 * Double(units.count + (isFuzzy ? 2 : 1))
    var disk = 0.0
    for unit in units {
      let need = ExactDeduplicator.estimate(unit, documents: documents, bytes: bytes, memory: self.memory.value)
      memory += Double(need.memory)
      disk = max(disk, Double(need.disk))
    }
    if isFuzzy {
      let shingles = bytes / max(1, 5 * documents)
      let need = configuration.estimate(documents: documents, shinglesPerDocument: shingles, spillLimit: self.memory.value)
      memory += Double(need.memory)
      disk += Double(bytes + 160 * documents + need.disk)
    }
    return (memory, disk)
  }
}

extension DeduplicationConfiguration.Keep: ExpressibleByArgument {}
