import ArgumentParser
import Loading
import Storage
import Tokens
import Training
import Workflows

/// `weir trace DATASET`: which documents are in a training batch, and at which steps a document is seen.
struct TraceCommand: WeirCommand {
  static let configuration = CommandConfiguration(
    commandName: "trace",
    abstract: "Show which documents are in a batch, or when one is seen.",
    discussion: """
      Writes one line of JSON per segment: step, row, position (of the row in the run), start and count (positions in the row), \
      document (its number in the dataset), offset (the segment's first token in the document), id, origin (the file and line \
      it was read from) and source; of several datasets, also dataset. --run takes everything else from a run. --document shows all segments of a document: \
      up to the step that the run has reached, or in --steps steps.

      EXAMPLES:
        weir trace out/dataset --run out/crisp --step 1200
        weir trace out/dataset --run out/crisp --document arxiv-17
        weir trace out/dataset --mixture crisp.json --sequence 1024 --step 7
      """)

  @Argument(help: ArgumentHelp("Token dataset folder.", valueName: "dataset"))
  var dataset: String

  @Option(help: ArgumentHelp("First step, from 0.", valueName: "n"))
  var step: Int?

  @Option(help: ArgumentHelp("Number of steps. (default: 1; with --document, those of the run)", valueName: "n"))
  var steps: Int?

  @Option(help: ArgumentHelp("Id of a document to look for.", valueName: "id"))
  var document: String?

  @Option(help: ArgumentHelp("Run folder whose batches to trace.", valueName: "folder"))
  var run: String?

  @Option(help: ArgumentHelp("Row order of weir pack --order, in place of --mixture, --rows, --sequence and --seed.", valueName: "file"))
  var order: String?

  @OptionGroup(title: "Data") var data: LoaderOptions

  @Option(help: ArgumentHelp("Sequence length in tokens. (default: 256)", valueName: "n"))
  var sequence: Int?

  @Option(name: .customLong("batch-size"), help: ArgumentHelp("Batch size in sequences. (default: 16)", valueName: "n"))
  var batch: Int?

  @Option(help: ArgumentHelp("Random seed. (default: 1)", valueName: "n"))
  var seed: UInt64?

  @OptionGroup var common: CommonOptions

  var propertyFlags: PropertyFlags { .batch + LoaderOptions.propertyFlags + ["step": "--step"] }
  var inputs: [String] { [dataset, order, run.map { RunFolder($0).description }].compactMap { $0 } + data.inputs }
  var writesDataToOutput: Bool { true }

  func validate() throws {
    guard step != nil || document != nil else { throw ValidationError("Give --step or --document") }
    guard (0...1 << 40).contains(step ?? 0), (1...1 << 40).contains(steps ?? 1) else {
      throw ValidationError("--step must be 0…2^40, and --steps 1…2^40")
    }
    let isOrdered = sequence != nil || seed != nil || data.isGiven
    guard run == nil || (!isOrdered && batch == nil && order == nil) else {
      throw ValidationError(
        "--run has its own --mixture, --packing, --rows, --sequence, --batch-size and --seed; leave them and --order out")
    }
    guard order == nil || !isOrdered else {
      throw ValidationError(
        "--order has its own mixture, rows and sequence; leave out --mixture, --packing, --rows, --max-epochs, --sequence and --seed")
    }
    guard document == nil || run != nil || steps != nil else { throw ValidationError("--document requires --run or --steps") }
  }

  func perform(_ session: Session) throws -> Outcome {
    let trace = try run.map { try BatchTrace(run: $0, dataset: dataset) } ?? BatchTrace(loader: loader(session))
    let first = step ?? 0
    if let document {
      let end = first + (steps ?? max(0, (trace.steps ?? 0) - first))
      for segment in try trace.segments(id: document, steps: first..<end) {
        try StandardOutput.write(try JSONFile.encode(segment) + [10])
      }
      return Outcome()
    }
    for step in first..<first + (steps ?? 1) {
      for segment in try trace.segments(step: step) { try StandardOutput.write(try JSONFile.encode(segment) + [10]) }
      if Interrupt.isRequested { break }
    }
    return Outcome()
  }

  private func loader(_ session: Session) throws -> PackedLoader {
    if let order { return try PackedLoader(order: order, rows: batch ?? 16, dataset: dataset) }
    var configuration = data.configuration(dataset: dataset)
    (configuration.rows, configuration.sequence, configuration.randomSeed) = (batch ?? 16, sequence ?? 256, seed ?? 1)
    return try session.with("trace") { try configuration.loader(tokens: nil, progress: $0) }
  }
}
