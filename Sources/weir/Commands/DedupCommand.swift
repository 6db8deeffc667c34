import ArgumentParser
import Corpus
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
      --exact compares the text with runs of blanks collapsed, and keeps the first. --paragraphs does so with paragraphs. --fuzzy finds
      near-duplicates by MinHash (word 5-grams, 14 bands of 8 rows), compares candidates by the Jaccard similarity of their shingles,
      and keeps one document of each group. Without any of them, --exact and then --fuzzy.

      Example: weir dedup corpora/sample --exact --fuzzy --rejects duplicates.jsonl -o unique.jsonl.zst
      """)

  @OptionGroup var input: InputOptions
  @OptionGroup var output: OutputOptions

  @Flag(help: "Drop documents whose text was there before.")
  var exact = false

  @Flag(help: "Drop paragraphs that were there before.")
  var paragraphs = false

  @Flag(help: "Drop documents that are nearly the same as another.")
  var fuzzy = false

  @Option(help: ArgumentHelp("Least Jaccard similarity of near-duplicates.", valueName: "share"))
  var threshold = 0.7

  @Flag(inversion: .prefixedNo, help: "Compare candidates exactly before they count as near-duplicates.")
  var verify = true

  @Option(help: ArgumentHelp("Bands of the signature.", valueName: "n"))
  var bands = 14

  @Option(help: ArgumentHelp("Rows of a band.", valueName: "n"))
  var rows = 8

  @Option(help: "Which of a group stays: first, longest.")
  var keep = DeduplicationConfiguration.Keep.first

  @Option(help: ArgumentHelp("Memory for signatures and shingles, such as 256M; beyond it a temporary file is used.", valueName: "bytes"))
  var memory = Amount(DeduplicationConfiguration.defaultSpillLimit)

  @OptionGroup var seed: SeedOption
  @OptionGroup var stream: StreamOptions
  @OptionGroup var common: CommonOptions

  var inputs: [String] { input.paths }
  var outputs: [String] { output.output.map { [$0] } ?? [] }

  func extend(_ chain: inout ChainBuilder) throws {
    try chain.add(input: input, output: output, stream: stream)
    let configuration = try configuration()
    let all = !exact && !paragraphs && !fuzzy
    if exact || all { chain.links.append(BarrierLink(ExactBarrier(unit: .documents, configuration: configuration))) }
    if paragraphs { chain.links.append(BarrierLink(ExactBarrier(unit: .paragraphs, configuration: configuration))) }
    if fuzzy || all { chain.links.append(BarrierLink(FuzzyBarrier(configuration: configuration, memory: memory.value))) }
  }

  func validate() throws {
    do { _ = try configuration() } catch { throw ValidationError("\(error)") }
  }

  private func configuration() throws -> DeduplicationConfiguration {
    var configuration = DeduplicationConfiguration()
    configuration.threshold = threshold
    configuration.verify = verify
    configuration.bands = bands
    configuration.rows = rows
    configuration.keep = keep
    configuration.seed = seed.seed
    try configuration.validate()
    return configuration
  }

  func forecast(_ world: inout Forecast) throws -> Forecast.Row {
    var row = try world.documents(input, output: output)
    if fuzzy || !(exact || paragraphs), let size = world.current {
      row.memory = Double(DeduplicationConfiguration().estimateMemory(documents: Int(size.documents), spillLimit: memory.value))
    }
    return row
  }
}

extension DeduplicationConfiguration.Keep: ExpressibleByArgument {}

/// A link with a barrier.
struct BarrierLink: ChainLink {
  let work: ChainWork
  init(_ barrier: any ChainBarrier) { work = .barrier(barrier) }
}

/// Exact deduplication: keys on all threads, admission in order.
struct ExactBarrier: ChainBarrier {
  var unit: ExactUnit
  var configuration: DeduplicationConfiguration

  func run(_ flow: ChainFlow) throws -> [Account] {
    let record: (@Sendable (Document) -> [UInt8])? = flow.reject == nil ? nil : { @Sendable document in SerializeDocuments.line(document) }
    var deduplicator = ExactDeduplicator(unit, record: record)
    let stage = AnyStage(HashDocuments(unit, configuration: configuration))
    let start = ContinuousClock.now
    _ = try flow.runner.run(stage, source: flow.pull) { batch, _ in
      let kept = deduplicator.admit(batch)
      try flow.reject?(deduplicator.takeRejects())
      if !kept.isEmpty { try flow.push(kept) }
    }
    var account = deduplicator.account
    account.seconds = (ContinuousClock.now - start).seconds
    return [account]
  }
}

/// Fuzzy deduplication: signatures on all threads while documents are spooled, the decision, then the documents that stay.
struct FuzzyBarrier: ChainBarrier {
  var configuration: DeduplicationConfiguration
  var memory: Int

  func run(_ flow: ChainFlow) throws -> [Account] {
    let start = ContinuousClock.now
    let deduplicator = try FuzzyDeduplicator(configuration, spillLimit: memory)
    let spool = try DocumentSpool()
    _ = try flow.runner.run(AnyStage(try ShingleDocuments(configuration)), source: flow.pull) { batch, _ in
      try deduplicator.add(batch)
      try spool.append(batch.documents)
    }
    let decision = try deduplicator.decide(threads: flow.runner.threads, progress: flow.progress)
    var account = Account(stage: "dedup.fuzzy")
    var index = 0
    try spool.replay { documents in
      var kept: [Document] = []
      var rejects: [Reject] = []
      for document in documents {
        account.input += 1
        account.bytesIn += document.text.count
        if decision.kept[index] {
          account.output += 1
          account.bytesOut += document.text.count
          kept.append(document)
        } else {
          account.drop("near_duplicate")
          if flow.reject != nil {
            rejects.append(
              Reject(
                origin: document.origin, stage: account.stage, reason: "near_duplicate of document \(decision.duplicateOf[index])",
                record: SerializeDocuments.line(document)))
          }
        }
        index += 1
      }
      try flow.reject?(rejects)
      if !kept.isEmpty { try flow.push(kept) }
    }
    account.seconds = (ContinuousClock.now - start).seconds
    account.extra["groups"] = Double(decision.report.groups.values.reduce(0, +))
    account.extra["pairs compared"] = Double(decision.report.compared)
    for warning in decision.report.warnings { Terminal.write("weir: warning: \(warning)\n") }
    return [account]
  }
}
