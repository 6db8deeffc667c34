import ArgumentParser
import Kernels
import Loading
import Pipeline
import Primitives
import Storage
import Tokens
import Workflows

/// `weir feed DATASET`: streams packed batches to another trainer.
struct FeedCommand: SeededCommand {
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

  @Option(
    help: ArgumentHelp(
      "Write tokens.i32, targets.i32 and starts.i32 to a folder, with --row-starts draws.u32, and shape.json.", valueName: "folder"))
  var raw: String?

  @OptionGroup var seed: SeedOption
  @OptionGroup var common: CommonOptions

  var propertyFlags: PropertyFlags { .batch + ["world": "--world", "rank": "--rank"] }
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

  func perform(_ session: Session) throws -> Outcome {
    let dataset = try TokenDataset(dataset)
    let loader = try PackedLoader(dataset: dataset, mixture: mixture, randomSeed: seed.seed, rows: batch, sequence: sequence)
    let feed = try BatchFeed(loader: loader, rank: rank, world: world, fromStep: fromStep, steps: steps)
    let shape = BatchShape(feed)
    guard let raw else {
      try StandardOutput.write(try JSONFile.encode(shape) + [10])
      try write(feed, session) { for bytes in $0 { try StandardOutput.write(bytes) } }
      return Outcome()
    }
    let folder = try AtomicFolder(raw, replacing: true)
    let files = try (draws ? BatchFolder.origins : BatchFolder.arrays).map { try AtomicFile("\(folder.working)/\($0)") }
    try write(feed, session) { for (file, bytes) in zip(files, $0) { try file.write(bytes) } }
    if Interrupt.isRequested { throw Stopped() }
    for file in files { _ = try file.commit() }
    try JSONFile.write(shape, to: "\(folder.working)/\(BatchFolder.shapeFile)")
    _ = try folder.commit(
      format: BatchFolder.format, tool: Weir.tool, inputs: ["dataset": dataset.fingerprint], configuration: JSONValue(encoding: shape),
      counts: ["steps": steps ?? 0])
    return Outcome()
  }

  private func write(_ feed: BatchFeed, _ session: Session, to write: ([[UInt8]]) throws -> Void) throws {
    let pool = ThreadPool(threads: session.threads), isStopping = { Interrupt.isRequested }
    try draws
      ? feed.origins(pool: pool, isStopping: isStopping, write: write) : feed.batches(pool: pool, isStopping: isStopping, write: write)
  }

  func forecast(_ forecast: inout Forecast) throws -> Forecast.Row { Forecast.Row(tokens: steps.map { Double($0 * batch * sequence) }) }
}
