import ArgumentParser
import Deduplication
import Primitives
import Storage
import Workflows

/// `weir holdout --fraction F --to FILE`: sets documents aside for validation.
struct HoldoutCommand: DocumentCommand, SeededCommand {
  static let configuration = CommandConfiguration(
    commandName: "holdout",
    abstract: "Set documents aside for validation.",
    discussion: """
      Writes about --fraction of the documents to the file that --to names, and all others to the output. The choice is by a \
      hash of the text, after collapsing whitespace, and by --seed: duplicates go to the same side, and the order of the \
      documents, the files they are in and the number of threads make no difference. Documents added to a corpus later do not \
      move those that were in it. Near-duplicates may end up on both sides, so remove them first. To split the rest once more, \
      use another --seed.

      With --by, the fraction is taken of each domain, to within one document and at least one document of every domain with \
      two or more texts. A text that is in several domains is on one side in all of them. Then the documents wait in a \
      temporary file in TMPDIR, and documents added later may move a few others.

      The account counts documents as dropped (held_out); --rejects does not repeat them.

      EXAMPLES:
        weir holdout clean.jsonl.zst --fraction 0.01 --to valid.jsonl \\
          -o train.jsonl.zst
        weir read corpora/sample | weir dedup | weir holdout --fraction 0.05 \\
          --by metadata.domain --to valid.jsonl.zst -o train.jsonl.zst
      """)

  @OptionGroup var input: InputOptions
  @OptionGroup var output: OutputOptions

  @Option(help: ArgumentHelp("Fraction of the documents to set aside, such as 0.01.", valueName: "share"))
  var fraction: Double

  @Option(help: ArgumentHelp("File for the documents that are set aside (.jsonl or .jsonl.zst).", valueName: "file"))
  var to: String

  @Option(
    help: ArgumentHelp("Take the fraction of each domain: file, or a member such as source or metadata.domain.", valueName: "name"))
  var by: String?

  @Flag(help: "Estimate what would be set aside, and do nothing.")
  var dryRun = false

  @OptionGroup var seed: SeedOption
  @OptionGroup var stream: StreamOptions
  @OptionGroup var common: CommonOptions

  var outputs: [String] { [to] + (output.output.map { [$0] } ?? []) }
  var lockedOutputs: [String] { dryRun ? [] : outputs }
  var writesDataToOutput: Bool { !dryRun && output.output ?? "-" == "-" }

  func validate() throws {
    guard fraction > 0, fraction < 1 else { throw ValidationError("--fraction must be more than 0 and less than 1, not \(fraction)") }
    guard by != "" else { throw ValidationError("--by must be file or the name of a member") }
    guard to != "-", to != output.output else { throw ValidationError("--to must be a file other than the output") }
    try usage { _ = try OutputCoding.of(path: to, lines: true) }
  }

  func extend(_ chain: inout ChainBuilder) throws {
    try chain.add(input: input, output: output, stream: stream)
    let barrier = HoldoutBarrier(fraction: fraction, by: by, randomSeed: seed.seed, file: to)
    chain.append(barrier)
    chain.report { try barrier.report.add(to: &$0) }
  }

  func perform(_ session: Session) throws -> Outcome {
    guard dryRun else { return try ChainBuilder([self]).perform(session) }
    guard !input.paths.isEmpty, !input.paths.contains("-") else {
      throw WeirError("--dry-run", "cannot estimate from standard input", remedy: "give files or folders")
    }
    var sizes = Forecast()
    let row = try forecast(&sizes)
    guard let size = sizes.sizes[to] else { return Outcome() }
    return Outcome(
      report: try JSONValue(encoding: ["documents": (row.documents ?? 0).rounded(), "held_out": size.documents.rounded()]),
      lines: [
        "  about \(Format.count(Int(size.documents.rounded()))) documents to \(to), \(Format.bytes(Int(size.bytes))) of text; "
          + "\(Format.count(Int((row.documents ?? 0).rounded()))) documents stay"
      ])
  }

  func forecast(_ forecast: inout Forecast) throws -> Forecast.Row {
    var row = try forecast.documents(input, output: output)
    guard var size = forecast.current else { return row }
    (size.documents, size.bytes) = (size.documents * fraction, size.bytes * fraction)
    forecast.sizes[to] = size
    forecast.current?.documents -= size.documents
    forecast.current?.bytes -= size.bytes
    if let output = output.output { forecast.sizes[output] = forecast.current }
    row.documents = forecast.current?.documents
    row.disk = (row.disk ?? 0) * (1 - fraction) + size.bytes * (to.hasSuffix(".zst") ? 0.3 : 1.1)
    return row
  }
}
