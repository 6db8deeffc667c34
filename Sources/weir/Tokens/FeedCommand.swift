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
      targets[i] is tokens[i+1] within a segment and -1 at its end (at the end of a row, the document's next token): do not \
      shift it again. Padding has token 0 and target -1. starts[i] is the first position that position i may attend to, so \
      position_ids = i - starts[i].

      Writes a line of JSON (format, dtype, rows, sequence, rank, world, batch_size, from_position, steps, order_version, \
      fingerprint), then per step three little-endian int32 arrays of shape [rows, sequence]: tokens, targets and starts; \
      after the last step a line with steps, rows and the checksum (XXH3-64) of all arrays.

      Row p of the run depends only on the packed rows, the mixture, the seed and p. --from-position seeks in constant time; \
      of each batch, rank r gets rows r, r + world, …. With --row-numbers, each row is two uint64 instead: its dataset \
      and its number in the packed rows. For Python, weir_feed reads the same rows without a pipe.

      EXAMPLES:
        weir feed out/dataset --mixture crisp.json --steps 100 | python3 trainer.py
        weir feed out/dataset --order order.json --rank 1 --world 4 \\
          --from-position 80000
      """)

  @Argument(help: ArgumentHelp("Token dataset folder.", valueName: "dataset"))
  var dataset: String

  @OptionGroup(title: "Data") var data: LoaderOptions

  @Option(help: "What a position attends to: its own document, or the full row across documents (starts are 0).")
  var attention = AttentionSpan.documents

  @Option(help: ArgumentHelp("Row order from weir pack or of a run (RUN/order.json), instead of a mixture.", valueName: "file"))
  var order: String?

  @Option(help: ArgumentHelp("Length of the run, for which weights are capped. (default: the mixture's --tokens)", valueName: "n"))
  var tokens: Amount?

  @Option(help: ArgumentHelp("Sequence length in tokens. (default: 256)", valueName: "n"))
  var sequence: Int?

  @Option(name: .customLong("batch-size"), help: ArgumentHelp("Global batch size in sequences, over all ranks.", valueName: "n"))
  var batch = 16

  @Option(help: ArgumentHelp("Rank of this reader, from 0.", valueName: "n"))
  var rank = 0

  @Option(help: ArgumentHelp("Number of readers.", valueName: "n"))
  var world = 1

  @Option(help: ArgumentHelp("First row, of all ranks.", valueName: "n"))
  var fromPosition: Int?

  @Option(help: ArgumentHelp("The same in steps of --batch-size rows.", valueName: "n"))
  var fromStep: Int?

  @Option(
    help: ArgumentHelp(
      "Number of steps. (default: --tokens or those of the order's run; else until --max-epochs or the reader closes the pipe)",
      valueName: "n"))
  var steps: Int?

  @Flag(help: "Write the numbers of rows instead of their tokens.")
  var rowNumbers = false

  @Option(
    help: ArgumentHelp(
      "Write tokens.i32, targets.i32 and starts.i32 to a folder, with --row-numbers rows.u64, and shape.json.", valueName: "folder"))
  var raw: String?

  @OptionGroup var seed: SeedOption
  @OptionGroup var common: CommonOptions

  var propertyFlags: PropertyFlags {
    .batch + LoaderOptions.propertyFlags + ["world": "--world", "rank": "--rank", "steps": "--steps"]
  }
  var inputs: [String] { [dataset, order].compactMap { $0 } + data.inputs }
  var outputs: [String] { raw.map { [$0] } ?? [] }
  var writesDataToOutput: Bool { raw == nil }

  func validate() throws {
    guard world >= 1, (0..<world).contains(rank), world <= max(1, batch) else {
      throw ValidationError("--rank must be below --world, and --world at most --batch-size")
    }
    guard fromPosition == nil || fromStep == nil else { throw ValidationError("Give either --from-position or --from-step") }
    guard (0...1 << 40).contains(fromStep ?? 0), (0...1 << 60).contains(fromPosition ?? 0), (1...1 << 40).contains(steps ?? 1) else {
      throw ValidationError("--from-position must be 0…2^60, --from-step 0…2^40 and --steps 1…2^40")
    }
    guard raw == nil || steps != nil else { throw ValidationError("--raw requires --steps") }
    guard order == nil || (!data.isGiven && tokens == nil && sequence == nil) else {
      throw ValidationError(
        "--order has its own mixture and rows; leave out --mixture, --packing, --rows, --sequence, --tokens and --max-epochs")
    }
  }

  func perform(_ session: Session) throws -> Outcome {
    let loader = try loader(session)
    let first = fromPosition ?? fromStep.map { $0 * batch } ?? loader.order.fromPosition
    let feed = try BatchFeed(loader: loader, rank: rank, world: world, fromPosition: first, steps: steps)
    let shape = BatchShape(feed)
    guard let raw else {
      try StandardOutput.write(try JSONFile.encode(shape) + [10])
      let end = try write(feed, session) { _, bytes in try StandardOutput.write(bytes) }
      if end.steps == feed.steps { try StandardOutput.write(try JSONFile.encode(end) + [10]) }
      return Outcome()
    }
    let folder = try AtomicFolder(raw, replacing: true)
    let files = try (rowNumbers ? BatchFolder.rowNumbers : BatchFolder.arrays).map { try AtomicFile("\(folder.working)/\($0)") }
    _ = try write(feed, session) { try files[$0].write($1) }
    if Interrupt.isRequested { throw Stopped() }
    for file in files { _ = try file.commit() }
    try JSONFile.write(shape, to: "\(folder.working)/\(BatchFolder.shapeFile)")
    _ = try folder.commit(
      format: BatchFolder.format, tool: Weir.tool, inputs: ["order": loader.order.fingerprint], configuration: JSONValue(encoding: shape),
      counts: ["steps": steps ?? 0])
    return Outcome()
  }

  private func loader(_ session: Session) throws -> PackedLoader {
    if let order {
      var loader = try PackedLoader(order: order, rows: batch, dataset: dataset)
      loader.attention = attention
      return loader
    }
    var configuration = data.configuration(dataset: dataset)
    (configuration.rows, configuration.sequence, configuration.randomSeed) = (batch, sequence ?? 256, seed.seed)
    configuration.attention = attention
    return try session.with("feed") { try configuration.loader(tokens: tokens?.value, progress: $0) }
  }

  private func write(_ feed: BatchFeed, _ session: Session, to write: BatchFeed.Write) throws -> FeedEnd {
    let pool = ThreadPool(threads: session.threads), isStopping = { Interrupt.isRequested }
    return try rowNumbers
      ? feed.rowNumbers(pool: pool, isStopping: isStopping, write: write) : feed.batches(pool: pool, isStopping: isStopping, write: write)
  }

  func forecast(_ forecast: inout Forecast) throws -> Forecast.Row {
    Forecast.Row(tokens: steps.map { Double($0 * batch * (sequence ?? 256)) })
  }
}
