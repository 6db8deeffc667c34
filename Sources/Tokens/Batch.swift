/// One packed training batch: `rows` sequences of `sequence` tokens, documents one after another that do not attend to each other.
public struct Batch: Sendable, Equatable {
  /// Where a segment of a row comes from, so that every token traces back to its source.
  public struct Segment: Sendable, Equatable {
    /// The row in the batch.
    public var row: Int
    /// The first position in the row.
    public var start: Int
    /// The number of tokens.
    public var count: Int
    /// The document in its dataset.
    public var document: Int
    /// The first token in the document.
    public var offset: Int
    /// The number of the dataset, where the source of the batch reads several.
    public var dataset = 0

    package init(row: Int, start: Int, count: Int, document: Int, offset: Int, dataset: Int = 0) {
      self.dataset = dataset
      self.row = row
      self.start = start
      self.count = count
      self.document = document
      self.offset = offset
    }
  }

  /// The number of sequences.
  public let rows: Int
  /// Tokens per row.
  public let sequence: Int
  /// [rows, sequence] token ids; padding is 0 with target −1.
  public var tokens: [Int32]
  /// [rows, sequence] the token to predict at each position, −1 for none (last token of a segment, padding, masked).
  public var targets: [Int32]
  /// [rows, sequence] the first position in the row that the position may attend to (its segment's start).
  public var starts: [Int32]
  /// The segments of the rows.
  public var segments: [Segment]

  /// Creates a batch of padding; every position attends only to itself.
  package init(rows: Int, sequence: Int) {
    self.rows = rows
    self.sequence = sequence
    tokens = [Int32](repeating: 0, count: rows * sequence)
    targets = [Int32](repeating: -1, count: rows * sequence)
    starts = [Int32](unsafeUninitializedCapacity: rows * sequence) { buffer, count in
      for row in 0..<rows { for position in 0..<sequence { buffer[row * sequence + position] = Int32(position) } }
      count = rows * sequence
    }
    segments = []
  }

  /// Makes the positions of a row from `start` on padding.
  mutating func pad(row: Int, from start: Int) {
    for position in start..<sequence {
      let place = row * sequence + position
      tokens[place] = 0
      targets[place] = -1
      starts[place] = Int32(position)
    }
  }

  /// The number of positions without the padding at the ends of rows, where each position attends only to itself.
  package var tokenCount: Int {
    (0..<rows).reduce(0) { count, row in
      var used = sequence
      while used > 0, starts[row * sequence + used - 1] == used - 1, targets[row * sequence + used - 1] < 0 { used -= 1 }
      return count + used
    }
  }

  /// The number of positions with a target.
  public var targetCount: Int { targets.reduce(0) { $0 + ($1 >= 0 ? 1 : 0) } }
}

/// A source of training batches. The batch of a step is a pure function of the source and the step; access is O(1).
package protocol BatchSource: Sendable {
  /// Rows per batch.
  var rows: Int { get }
  /// Tokens per row.
  var sequence: Int { get }
  /// One line that identifies the data, the mixture and the random seed; a run only resumes with the same one.
  var fingerprint: String { get }
  /// The batch of a step, counted from 0.
  func batch(step: Int) throws -> Batch
  /// Writes which row comes at which position, for runs that continue this one; nothing if the source has no such order.
  func writeOrder(to path: String) throws
  /// The tokens of a batch as runs count them: all positions, or those without padding.
  func tokenCount(of batch: Batch) -> Int
}

extension BatchSource {
  package func tokenCount(of batch: Batch) -> Int { rows * sequence }

  package func writeOrder(to path: String) throws {}
}
