import ArgumentParser
import Loading
import Storage
import Tokens
import Training
import Workflows

/// `weir trace DATASET --step N`: shows which documents are in a training batch.
struct TraceCommand: WeirCommand {
  static let configuration = CommandConfiguration(
    commandName: "trace",
    abstract: "Show which documents are in a training batch.",
    discussion: """
      Writes one line of JSON per segment: step, row, start and count (positions in the row), document (its number in the \
      dataset), offset (the segment's first token in the document), id, origin (the file and line it was read from) and \
      source. --run takes seed, batch size and sequence length from a run, and checks that the run used this dataset and \
      mixture.

      EXAMPLES:
        weir trace out/dataset --mixture crisp.json --run out/crisp --step 1200
      """)

  @Argument(help: ArgumentHelp("Token dataset folder.", valueName: "dataset"))
  var dataset: String

  @Option(help: ArgumentHelp("First step, from 0.", valueName: "n"))
  var step: Int

  @Option(help: ArgumentHelp("Number of steps.", valueName: "n"))
  var steps = 1

  @Option(help: ArgumentHelp("Data mixture from weir sample. (default: uniform over tokens)", valueName: "file"))
  var mixture: String?

  @Option(help: ArgumentHelp("Run folder whose batches to trace.", valueName: "folder"))
  var run: String?

  @Option(help: ArgumentHelp("Sequence length in tokens. (default: 256)", valueName: "n"))
  var sequence: Int?

  @Option(name: .customLong("batch-size"), help: ArgumentHelp("Batch size in sequences. (default: 16)", valueName: "n"))
  var batch: Int?

  @Option(help: ArgumentHelp("Random seed. (default: 1)", valueName: "n"))
  var seed: UInt64?

  @OptionGroup var common: CommonOptions

  var propertyFlags: PropertyFlags { .batch }
  var inputs: [String] { [dataset, mixture, run.map { RunFolder($0).description }].compactMap { $0 } }
  var writesDataToOutput: Bool { true }

  func validate() throws {
    guard (0...1 << 40).contains(step), (1...1 << 40).contains(steps) else {
      throw ValidationError("--step must be 0…2^40, and --steps 1…2^40")
    }
    guard run == nil || (sequence == nil && batch == nil && seed == nil) else {
      throw ValidationError("--run cannot be combined with --sequence, --batch-size or --seed")
    }
  }

  func perform(_ session: Session) throws -> Outcome {
    let dataset = try TokenDataset(dataset)
    let trace =
      try run.map { try BatchTrace(run: $0, dataset: dataset, mixture: mixture) }
      ?? BatchTrace(
        loader: PackedLoader(dataset: dataset, mixture: mixture, randomSeed: seed ?? 1, rows: batch ?? 16, sequence: sequence ?? 256))
    for step in step..<step + steps {
      for segment in try trace.segments(step: step) { try StandardOutput.write(try JSONFile.encode(segment) + [10]) }
      if Interrupt.isRequested { break }
    }
    return Outcome()
  }
}
