import ArgumentParser
import Foundation
import Kernels
import Loading
import Pipeline
import Primitives
import Storage
import Tokens

/// `weir feed DATASET`: packed batches for another trainer.
struct FeedCommand: WeirCommand {
  static let configuration = CommandConfiguration(
    commandName: "feed",
    abstract: "Writes packed batches to standard output, for another trainer.",
    discussion: """
      First a line of JSON (rows, sequence, from_step, steps, fingerprint), then for each step three arrays of little-endian int32, [rows,
      sequence] each: tokens, targets (-1 where there is none) and starts (the first position that each may attend to). A batch depends on
      dataset, mixture, seed and step alone: --from-step costs nothing, and --rank/--world deal the rows of the same batches. With --draws,
      two uint32 a row stand in their place: the number of the window that it begins in, and the token of the window; rows go on with
      other windows of the same cluster (weir trace tells which).

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

  @Flag(help: "Write where each row begins instead of its tokens.")
  var draws = false

  @Option(help: ArgumentHelp("Write tokens.i32, targets.i32, starts.i32 (or draws.u32) and shape.json to a folder.", valueName: "folder"))
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
    let header = Header(rows: batch / world, sequence: sequence, from_step: fromStep, steps: steps, fingerprint: loader.fingerprint)
    let pool = ThreadPool(threads: session.threads)
    if let raw {
      let folder = try AtomicFolder(raw, replacing: true)
      let names = draws ? ["draws.u32"] : ["tokens.i32", "targets.i32", "starts.i32"]
      let files = try names.map { try AtomicFile("\(folder.working)/\($0)") }
      try pieces(of: loader, pool: pool) { arrays in
        for (file, bytes) in zip(files, arrays) { try file.write(bytes) }
      }
      for file in files { _ = try file.commit() }
      try JSONFile.write(header, to: folder.working + "/shape.json")
      _ = try folder.commit(
        format: "weir.batches.1", tool: Weir.tool, inputs: ["dataset": dataset.fingerprint], configuration: try JSONValue(encoding: header),
        counts: ["steps": steps ?? 0])
      return Outcome()
    }
    try StandardOutput.write(try JSONFile.encodeLine(header) + [10])
    try pieces(of: loader, pool: pool) { arrays in
      for bytes in arrays { try StandardOutput.write(bytes) }
    }
    return Outcome()
  }

  /// What goes out, in order: of a step its arrays; of a block of draws theirs.
  private func pieces(of loader: PackedLoader, pool: ThreadPool, write: ([[UInt8]]) throws -> Void) throws {
    let taken = fromStep * batch..<(steps.map { (fromStep + $0) * batch } ?? .max)
    let size = draws ? RowOrigin.block : batch
    var next = taken.lowerBound / size
    // As many at a time as keep every thread busy, and no more than some megabytes.
    let group = pool.threads * (draws ? 64 : max(1, (1 << 18) / (batch * sequence)))
    while next * size < taken.upperBound, !Interrupt.isRequested {
      let count = min(group, (taken.upperBound - next * size - 1) / size + 1)
      let first = next
      nonisolated(unsafe) var results = [Result<[[UInt8]], any Error>](repeating: .success([]), count: count)
      unsafe results.withUnsafeMutableBufferPointer { results in
        nonisolated(unsafe) let results = unsafe results
        pool.run(count) { index in
          unsafe results[index] = Result {
            draws ? [origins(of: loader, block: first + index, taken: taken)] : try arrays(of: loader.batch(step: first + index))
          }
        }
      }
      for result in results { try write(result.get()) }
      next += count
    }
  }

  /// This reader's rows of a batch.
  private func arrays(of whole: Batch) -> [[UInt8]] {
    [whole.tokens, whole.targets, whole.starts].map { values in
      var bytes: [UInt8] = []
      bytes.reserveCapacity(values.count * 4 / world)
      for row in stride(from: rank, to: batch, by: world) {
        unsafe values[row * sequence..<(row + 1) * sequence].withUnsafeBytes { unsafe bytes.append(contentsOf: $0) }
      }
      return bytes
    }
  }

  /// This reader's draws of a block, of those that are taken.
  private func origins(of loader: PackedLoader, block: Int, taken: Range<Int>) -> [UInt8] {
    var origins = loader.origins(block: block)
    let range = taken.clamped(to: block * RowOrigin.block..<(block + 1) * RowOrigin.block)
    if range.count < origins.count || world > 1 {
      let first = block * RowOrigin.block
      origins = range.lazy.filter { $0 % batch % world == rank }.map { origins[$0 - first] }
    }
    return unsafe origins.withUnsafeBytes { unsafe Array($0) }
  }

  func forecast(_ world: inout Forecast) throws -> Forecast.Row {
    Forecast.Row(tokens: steps.map { Double($0 * batch * sequence) })
  }
}
