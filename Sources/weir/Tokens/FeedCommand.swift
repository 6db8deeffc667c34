import ArgumentParser
import Foundation
import Kernels
import Loading
import Pipeline
import Primitives
import Storage
import Tokens
import Workflows

/// `weir feed DATASET`: streams packed batches to another trainer.
struct FeedCommand: WeirCommand {
  static let configuration = CommandConfiguration(
    commandName: "feed",
    abstract: "Stream packed batches to another trainer.",
    discussion: """
      Writes one line of JSON (rows, sequence, from_step, steps, fingerprint), then three little-endian int32 arrays of \
      shape [rows, sequence] per step: tokens, targets (-1 where there is none) and starts (the first position that each \
      position may attend to).

      A batch depends only on dataset, mixture, seed and step, so --from-step seeks in constant time, and --rank and --world \
      distribute the rows of the same batches. With --row-starts, each row is two uint32 instead: the window in which it \
      begins, and the token of that window.

      EXAMPLES:
        weir feed out/dataset --mixture crisp.json --steps 100 | python3 trainer.py
        weir feed out/dataset --rank 1 --world 4 --from-step 5000
      """)

  @Argument(help: ArgumentHelp("Token dataset folder.", valueName: "dataset"))
  var dataset: String

  @Option(help: ArgumentHelp("Data mixture from weir sample. (default: uniform over tokens)", valueName: "file"))
  var mixture: String?

  @Option(help: ArgumentHelp("Sequence length in tokens.", valueName: "n"))
  var sequence = 256

  @Option(name: .customLong("batch-size"), help: ArgumentHelp("Global batch size in sequences, over all ranks.", valueName: "n"))
  var batch = 16

  @Option(help: ArgumentHelp("Rank of this reader, from 0.", valueName: "n"))
  var rank = 0

  @Option(help: ArgumentHelp("Number of readers; divides --batch-size.", valueName: "n"))
  var world = 1

  @Option(help: ArgumentHelp("First step.", valueName: "n"))
  var fromStep = 0

  @Option(help: ArgumentHelp("Number of steps. (default: until the reader closes the pipe)", valueName: "n"))
  var steps: Int?

  @Flag(name: .customLong("row-starts"), help: "Write where each row begins instead of its tokens.")
  var draws = false

  @Option(help: ArgumentHelp("Write tokens.i32, targets.i32, starts.i32 (or draws.u32) and shape.json to a folder.", valueName: "folder"))
  var raw: String?

  @OptionGroup var seed: SeedOption
  @OptionGroup var common: CommonOptions

  var randomSeed: UInt64? { seed.seed }
  var propertyFlags: PropertyFlags { .batch }
  var inputs: [String] { [dataset, mixture].compactMap { $0 } }
  var outputs: [String] { raw.map { [$0] } ?? [] }
  var writesDataToOutput: Bool { raw == nil }

  func validate() throws {
    guard world >= 1, (0..<world).contains(rank), batch % world == 0 else {
      throw ValidationError("--world must divide --batch-size, and --rank must be below --world")
    }
    guard fromStep >= 0, steps ?? 1 > 0 else { throw ValidationError("--from-step must be at least 0, and --steps at least 1") }
    guard fromStep <= 1 << 40, steps ?? 1 <= 1 << 40 else { throw ValidationError("--from-step and --steps must be at most 2^40") }
    guard raw == nil || steps != nil else { throw ValidationError("--raw requires --steps") }
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
    let loader = try Load.loader(dataset, mixture: mixture, randomSeed: seed.seed, rows: batch, sequence: sequence)
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
    try StandardOutput.write(try JSONFile.encode(header) + [10])
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

  func forecast(_ forecast: inout Forecast) throws -> Forecast.Row {
    Forecast.Row(tokens: steps.map { Double($0 * batch * sequence) })
  }
}
