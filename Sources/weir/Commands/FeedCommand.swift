import ArgumentParser
import Corpus
import Foundation
import Pipeline
import Primitives
import Storage

/// `weir feed DATASET`: packed batches for another trainer.
struct FeedCommand: WeirCommand {
  static let configuration = CommandConfiguration(
    commandName: "feed",
    abstract: "Writes packed batches to standard output, for another trainer.",
    discussion: """
      First a line of JSON (rows, sequence, from_step, steps, fingerprint), then for each step three arrays of little-endian int32, [rows,
      sequence] each: tokens, targets (-1 where there is none) and starts (the first position that each may attend to). A batch depends on
      dataset, mixture, seed and step alone: --from-step costs nothing, and --rank/--world deal the rows of the same batches.

      Example: weir feed out/dataset --mixture crisp.json --sequence 256 --batch 16 --steps 100 | python3 my_trainer.py
      """)

  @Argument(help: ArgumentHelp("The token dataset.", valueName: "dataset"))
  var dataset: String

  @Option(help: ArgumentHelp("What to draw (weir sample); every token equally likely without it.", valueName: "file"))
  var mixture: String?

  @Option(help: ArgumentHelp("Tokens in a sequence.", valueName: "n"))
  var sequence = 256

  @Option(help: ArgumentHelp("Sequences in a batch, of all ranks together.", valueName: "n"))
  var batch = 16

  @Option(help: ArgumentHelp("This reader's number, from 0.", valueName: "n"))
  var rank = 0

  @Option(help: ArgumentHelp("The number of readers; it divides --batch.", valueName: "n"))
  var world = 1

  @Option(help: ArgumentHelp("The first step.", valueName: "n"))
  var fromStep = 0

  @Option(help: ArgumentHelp("The number of steps; without it, until the reader has had enough.", valueName: "n"))
  var steps: Int?

  @Option(help: ArgumentHelp("Write tokens.i32, targets.i32, starts.i32 and shape.json into a folder instead.", valueName: "folder"))
  var raw: String?

  @OptionGroup var seed: SeedOption
  @OptionGroup var common: CommonOptions

  var inputs: [String] { [dataset, mixture].compactMap { $0 } }
  var outputs: [String] { raw.map { [$0] } ?? [] }
  var writesDataToOutput: Bool { raw == nil }

  func validate() throws {
    guard world >= 1, (0..<world).contains(rank), batch % world == 0 else {
      throw ValidationError("--world must divide --batch, and --rank be below it")
    }
    guard fromStep >= 0, steps ?? 1 > 0 else { throw ValidationError("--from-step and --steps count from 0 and 1") }
    guard fromStep <= 1 << 40, steps ?? 1 <= 1 << 40 else { throw ValidationError("--from-step and --steps are at most 2^40") }
    guard raw == nil || steps != nil else { throw ValidationError("--raw needs --steps") }
  }

  private struct Header: Codable {
    var rows: Int
    var sequence: Int
    var from_step: Int
    var steps: Int?
    var fingerprint: String
  }

  func perform(_ session: Session) throws -> Outcome {
    let dataset = try TokenDataset(dataset)
    let loader = try Load.loader(dataset, mixture: mixture, seed: seed.seed, rows: batch, sequence: sequence)
    let rows = stride(from: rank, to: batch, by: world).map { $0 * sequence..<($0 + 1) * sequence }
    let header = Header(rows: rows.count, sequence: sequence, from_step: fromStep, steps: steps, fingerprint: loader.fingerprint)
    func bytes(_ values: [Int32]) -> [UInt8] {
      rows.flatMap { row in values[row].flatMap { value in (0..<4).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) } } }
    }
    if let raw {
      let folder = try AtomicFolder(raw, replacing: true)
      let files = try ["tokens", "targets", "starts"].map { try AtomicFile("\(folder.working)/\($0).i32") }
      for step in fromStep..<fromStep + (steps ?? 0) {
        let batch = try loader.batch(step: step)
        for (file, values) in zip(files, [batch.tokens, batch.targets, batch.starts]) { try file.write(bytes(values)) }
      }
      for file in files { _ = try file.commit() }
      try JSONFile.write(header, to: folder.working + "/shape.json")
      _ = try folder.commit(
        format: "weir.batches.1", tool: Weir.tool, inputs: ["dataset": dataset.fingerprint], configuration: try JSONValue(encoding: header),
        counts: ["steps": steps ?? 0])
      return Outcome()
    }
    try StandardOutput.write(try JSONFile.encodeLine(header) + [10])
    var step = fromStep
    while steps.map({ step < fromStep + $0 }) ?? true, !Interrupt.isRequested {
      let batch = try loader.batch(step: step)
      try StandardOutput.write(bytes(batch.tokens) + bytes(batch.targets) + bytes(batch.starts))
      step += 1
    }
    return Outcome()
  }

  func forecast(_ world: inout Forecast) throws -> Forecast.Row {
    Forecast.Row(tokens: steps.map { Double($0 * batch * sequence) })
  }
}
