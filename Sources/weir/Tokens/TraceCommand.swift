import ArgumentParser
import Foundation
import Pipeline
import Primitives
import Storage
import Tokens
import Training

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

  private struct Line: Encodable {
    var step: Int
    var row: Int
    var start: Int
    var count: Int
    var document: Int
    var offset: Int
    var id: String
    var origin: String
    var source: String?
  }

  func perform(_ session: Session) throws -> Outcome {
    let dataset = try TokenDataset(dataset)
    let described = try run.map { try TrainingRun.batches(run: $0) }
    let loader = try Load.loader(
      dataset, mixture: mixture, randomSeed: described?.randomSeed ?? seed ?? 1, rows: described?.rows ?? batch ?? 16,
      sequence: described?.sequence ?? sequence ?? 256)
    if let run, let described, loader.fingerprint != described.data {
      throw WeirError(
        run, "was trained on other data (\(described.data)) than this dataset and mixture (\(loader.fingerprint))",
        remedy: "give the dataset and the --mixture of the run")
    }
    for step in step..<step + steps {
      let segments = try loader.batch(step: step).segments
      let infos = try loader.dataset.infos(Set(segments.map(\.document)))
      for segment in segments.sorted(by: { ($0.row, $0.start) < ($1.row, $1.start) }) {
        guard let info = infos[segment.document] else { continue }
        let line = Line(
          step: step, row: segment.row, start: segment.start, count: segment.count, document: segment.document, offset: segment.offset,
          id: info.id, origin: info.origin, source: info.source)
        try StandardOutput.write(try JSONFile.encode(line) + [10])
      }
      if Interrupt.isRequested { break }
    }
    return Outcome()
  }
}
