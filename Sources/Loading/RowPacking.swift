import Primitives
import Tokens

/// Ways to fill the rows of a group.
package enum RowPacking: String, Codable, Sendable, CaseIterable {
  /// Documents one after another, cut at the ends of rows: padding only in the last row.
  case concat
  /// Best-fit decreasing (Ding et al., arXiv 2404.10830 §3): a document is cut only if it is longer than a row.
  case bestFit = "best-fit"
  /// One document per row.
  case pad

  /// Fills rows.
  /// - Parameters:
  ///   - pieces: the documents of the group, or the parts of them that lie in it.
  ///   - order: the order in which `concat` takes them.
  ///   - emit: called with each row.
  /// - Returns: how many pieces were cut.
  func pack(
    _ pieces: [PackedRows.Segment], order: Permutation, sequence: Int, emit: ([PackedRows.Segment]) throws -> Void
  ) rethrows -> Int {
    switch self {
    case .concat: try concatenate(pieces, order: order, sequence: sequence, emit: emit)
    case .bestFit: try fit(pieces, sequence: sequence, emit: emit)
    case .pad:
      try pieces.reduce(0) { cut, piece in
        for part in piece.parts(of: sequence) { try emit([part]) }
        return cut + (piece.count > sequence ? 1 : 0)
      }
    }
  }

  private func concatenate(
    _ pieces: [PackedRows.Segment], order: Permutation, sequence: Int, emit: ([PackedRows.Segment]) throws -> Void
  ) rethrows -> Int {
    var row: [PackedRows.Segment] = []
    var (free, cut) = (sequence, 0)
    for number in pieces.indices {
      var rest = pieces[order[number]]
      if rest.count > free { cut += 1 }
      while rest.count > 0 {
        let part = rest.removePrefix(free)
        row.append(part)
        free -= part.count
        guard free == 0 else { continue }
        try emit(row)
        row.removeAll(keepingCapacity: true)
        free = sequence
      }
    }
    if !row.isEmpty { try emit(row) }
    return cut
  }

  /// Takes the pieces by length, the longest first, and puts each into the fullest row that has room for it. Equal lengths keep the order of the
  /// dataset, so the result is unique. A search tree over the free room of rows makes a piece O(log sequence).
  private func fit(_ pieces: [PackedRows.Segment], sequence: Int, emit: ([PackedRows.Segment]) throws -> Void) rethrows -> Int {
    var cut = 0
    var rests: [PackedRows.Segment] = []
    for piece in pieces {
      var piece = piece
      if piece.count > sequence { cut += 1 }
      while piece.count > sequence { try emit([piece.removePrefix(sequence)]) }
      rests.append(piece)
    }
    // A counting sort, stable.
    var first = [Int](repeating: 0, count: sequence + 2)
    for piece in rests { first[sequence - piece.count + 1] += 1 }
    for length in 1...sequence + 1 { first[length] += first[length - 1] }
    var sorted = rests
    for piece in rests {
      sorted[first[sequence - piece.count]] = piece
      first[sequence - piece.count] += 1
    }
    var bins = OpenRows(sequence: sequence)
    for index in sorted.indices { bins.place(index, count: sorted[index].count) }
    var rows = [[Int]](repeating: [], count: bins.count)
    for (index, bin) in bins.binOf.enumerated() { rows[bin].append(index) }
    for row in rows {
      // In the order of the dataset: by length, short documents would always be last.
      try emit(row.map { sorted[$0] }.sorted { ($0.document, $0.offset) < ($1.document, $1.offset) })
    }
    return cut
  }
}

/// Rows that are being filled, by their free room.
private struct OpenRows {
  private(set) var count = 0
  /// The row of each piece, in the order in which they were placed.
  private(set) var binOf: [Int] = []
  /// The rows with each amount of free room.
  private var byRoom: [[Int]]
  /// Which amounts there are: bit n of level 0, and a bit per word of the level below.
  private var levels: [[UInt64]] = []
  private let sequence: Int

  init(sequence: Int) {
    self.sequence = sequence
    byRoom = [[Int]](repeating: [], count: sequence + 1)
    var size = sequence + 1
    repeat {
      size = (size + 63) / 64
      levels.append([UInt64](repeating: 0, count: size))
    } while size > 1
  }

  /// Puts a piece into the fullest row with room for it, or a new one.
  mutating func place(_ piece: Int, count: Int) {
    let room = smallest(atLeast: count)
    let bin: Int
    if let room {
      bin = byRoom[room].removeLast()
      if byRoom[room].isEmpty { mark(room, false) }
    } else {
      bin = self.count
      self.count += 1
    }
    binOf.append(bin)
    let left = (room ?? sequence) - count
    guard left > 0 else { return }
    if byRoom[left].isEmpty { mark(left, true) }
    byRoom[left].append(bin)
  }

  private mutating func mark(_ room: Int, _ isPresent: Bool) {
    var bit = room
    for level in levels.indices {
      let word = bit >> 6, mask = UInt64(1) << UInt64(bit & 63)
      let old = levels[level][word]
      levels[level][word] = isPresent ? old | mask : old & ~mask
      // The level above changes only with the first or the last bit of a word.
      guard (old == 0) != (levels[level][word] == 0) else { return }
      bit = word
    }
  }

  private func smallest(atLeast room: Int) -> Int? {
    var bit = room
    for level in levels.indices {
      let word = bit >> 6
      guard word < levels[level].count else { return nil }
      let found = levels[level][word] & (~0 << UInt64(bit & 63))
      if found != 0 {
        // Down again to the amount.
        var result = word << 6 | found.trailingZeroBitCount
        for below in levels[..<level].reversed() { result = result << 6 | below[result].trailingZeroBitCount }
        return result
      }
      bit = word + 1
    }
    return nil
  }
}

extension PackedRows.Segment {
  /// Takes at most `count` tokens from the front.
  fileprivate mutating func removePrefix(_ count: Int) -> PackedRows.Segment {
    let part = PackedRows.Segment(document: document, offset: offset, count: min(count, self.count))
    offset += part.count
    self.count -= part.count
    return part
  }

  fileprivate func parts(of count: Int) -> [PackedRows.Segment] {
    var parts: [PackedRows.Segment] = []
    var rest = self
    while rest.count > 0 { parts.append(rest.removePrefix(count)) }
    return parts
  }
}
