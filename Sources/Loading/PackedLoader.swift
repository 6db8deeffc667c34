import Artifacts
import Primitives
import Storage
import Synchronization
import Tokens

/// Packed training batches. A batch is a pure function of packed rows, order and positions, so that a loader seeks, resumes and changes its batch size
/// or its ranks in O(1).
public struct PackedLoader: BatchSource {
  /// Rows per batch.
  public let rows: Int
  /// Tokens per row.
  public var sequence: Int { order.sequence }
  /// Identifies the rows and their order: two loaders with equal fingerprints yield equal rows at equal positions.
  public var fingerprint: String {
    "rows \(order.fingerprint)" + (order.fromPosition > 0 ? " from position \(order.fromPosition)" : "")
      + (attention == .full ? " full attention" : "")
  }
  /// Whether the segments of a row attend to each other.
  package var attention = AttentionSpan.documents
  package let order: RowOrder
  /// The packed rows that `order` draws from.
  package let sources: [PackedRows]
  private let blocks = RecentBlocks()

  /// - Parameter rows: rows per batch.
  package init(_ order: RowOrder, sources: [PackedRows], rows: Int) throws {
    try Self.check(rows: rows, sequence: order.sequence)
    (self.order, self.sources, self.rows) = (order, sources, rows)
  }

  /// Throws `WeirError` if the shape of a batch is out of range.
  package static func check(rows: Int, sequence: Int) throws {
    guard rows > 0 else { throw WeirError("rows", "must be at least 1, not \(rows)") }
    guard sequence > 1 else { throw WeirError("sequence", "must be at least 2, not \(sequence)") }
    let (positions, overflow) = rows.multipliedReportingOverflow(by: sequence)
    guard !overflow, positions <= 1 << 28 else {
      throw WeirError("rows", "\(rows) rows of \(sequence) tokens exceed 2^28 tokens per batch", remedy: "use a smaller batch")
    }
  }

  /// Opens the packed rows of a row order, as `weir pack --order` writes it.
  /// - Parameters:
  ///   - file: the row order.
  ///   - rows: rows per batch.
  ///   - dataset: a dataset that may have moved since, if it is one of those that the order was made from.
  /// - Throws: `WeirError` if the order or its rows are missing or damaged.
  public init(order file: String, rows: Int, dataset: String? = nil) throws {
    var order = try RowOrder.read(from: file)
    if let dataset { order = try order.moved(to: TokenReader(dataset), file: file) }
    let sources = try order.sources.map { source in
      let dataset = try TokenReader(source.dataset)
      let rows = try PackedRows(source.rows, dataset: dataset)
      guard rows.fingerprint == source.rowsFingerprint, rows.sequence == order.sequence else {
        throw WeirError(file, "was made for other rows than those in \(rows.path)", remedy: "make it again with `weir pack --order`")
      }
      return rows
    }
    for group in order.groups where group.firstRow + group.rows > sources[group.source].rowCount {
      throw WeirError(
        file, "has a group with rows that \(sources[group.source].path) does not have", remedy: "make it again with `weir pack --order`")
    }
    try self.init(order, sources: sources, rows: rows)
  }

  /// The batch of step `step`, counted from 0. O(batch), wherever the step is.
  public func batch(step: Int) throws -> Batch {
    let first = position(step: step)
    return try batch(positions: first..<first + rows)
  }

  package func writeOrder(to path: String) throws { try order.write(to: path) }

  /// The position of the first row of a step.
  package func position(step: Int) -> Int {
    precondition(step >= 0, "steps are counted from 0")
    return order.fromPosition + step * rows
  }

  /// The rows at some positions.
  package func batch(positions: some RandomAccessCollection<Int>) throws -> Batch {
    var batch = Batch(rows: positions.count, sequence: sequence)
    try fill(&batch, positions: positions)
    return batch
  }

  /// Replaces the rows of a batch with those at as many positions.
  package func fill(_ batch: inout Batch, positions: some RandomAccessCollection<Int>) throws {
    precondition(batch.rows == positions.count, "the batch has another number of rows")
    batch.segments.removeAll(keepingCapacity: true)
    for (row, found) in try rows(at: positions).enumerated() {
      try sources[found.source].fill(&batch, row: row, from: found.number, dataset: found.source)
    }
    if attention == .full { for place in batch.starts.indices { batch.starts[place] = 0 } }
  }

  /// The packed rows at some positions.
  package func rows(at positions: some RandomAccessCollection<Int>) throws -> [RowOrder.Row] {
    var block: DrawOrder.Block?
    return try positions.map { position in
      if block.map({ !$0.positions.contains(position) }) ?? true {
        try order.check(position)
        block = blocks.block(at: position, of: order.draws)
      }
      guard let block else { preconditionFailure("a block was computed") }
      return order.row(block.draws[position - block.positions.lowerBound])
    }
  }
}

/// The blocks of draws that were used last.
private final class RecentBlocks: Sendable {
  /// More than the threads of a reader that work on different blocks.
  private static let most = 16
  private let blocks = Mutex<[DrawOrder.Block]>([])

  func block(at position: Int, of order: DrawOrder) -> DrawOrder.Block {
    if let known = blocks.withLock({ $0.last { $0.positions.contains(position) } }) { return known }
    let block = order.block(at: position)
    blocks.withLock {
      if $0.count >= Self.most { $0.removeFirst() }
      $0.append(block)
    }
    return block
  }
}
