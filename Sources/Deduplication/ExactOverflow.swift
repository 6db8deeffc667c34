import Pipeline
import Storage

/// What exact deduplication puts aside once its memory is full: documents in a spool, the fingerprints nobody had seen before
/// in temporary files, divided by value, each in the order of the input. At the end one part after another is looked
/// through: of equal fingerprints the first is the one that stays. Linear in the fingerprints, two passes over them.
final class ExactOverflow {
  private struct Entry: BitwiseCopyable {
    var key: Checksum128
    /// The piece, counted over the documents in the spool.
    var piece: Int
  }

  private static let parts = 64
  let spool: DocumentSpool
  private let parts: [SpillBuffer<Entry>]
  private let memory: Int
  /// A bit a piece: those that were there before.
  private var repeated: [UInt64] = []
  /// The number of pieces before each document in the spool.
  private var starts: [Int] = [0]

  init(memory: Int) throws {
    self.memory = memory
    spool = try DocumentSpool()
    parts = (0..<Self.parts).map { _ in SpillBuffer(limit: min(1 << 18, memory / (4 * Self.parts)), folder: nil) }
  }

  /// Puts a document aside.
  /// - Parameters:
  ///   - keys: its pieces' fingerprints.
  ///   - fresh: for each whether it was not there while there was memory.
  func add(_ keys: ArraySlice<Checksum128>, fresh: ArraySlice<UInt8>) throws {
    var piece = starts[starts.count - 1]
    for (key, fresh) in zip(keys, fresh) {
      if piece & 63 == 0 { repeated.append(0) }
      if fresh == 0 {
        repeated[piece >> 6] |= 1 << UInt64(piece & 63)
      } else if key.high | key.low != 0 {
        // The upper bits: within a part a set spreads fingerprints by them again.
        try parts[Int(key.low >> 58)].append(CollectionOfOne(Entry(key: key, piece: piece)))
      }
      piece += 1
    }
    starts.append(piece)
  }

  /// Finds the pieces that were there before.
  /// - Throws: `Stopped`, and `WeirError` when a temporary file cannot be read.
  func resolve(progress: Progress) throws {
    for (number, part) in parts.enumerated() {
      try progress.checkStop()
      progress.update(Double(number), of: Double(Self.parts), unit: "parts")
      // A part that does not fit into the memory is looked through several times.
      let passes = UInt64(max(1, part.count * 64 / max(1 << 20, memory)))
      for pass in 0..<passes {
        let seen = DigestSet()
        try part.forEachPiece { entries, _ in
          let mine = entries.filter { passes == 1 || $0.key.low % passes == pass }
          let fresh = seen.insert(mine.map(\.key))
          for (entry, fresh) in zip(mine, fresh) where fresh == 0 { repeated[entry.piece >> 6] |= 1 << UInt64(entry.piece & 63) }
        }
      }
    }
  }

  /// The number of pieces of a document in the spool.
  func pieces(of document: Int) -> Int { starts[document + 1] - starts[document] }

  /// Whether each piece of a document in the spool is new.
  func fresh(_ document: Int) -> [UInt8] {
    (starts[document]..<starts[document + 1]).map { UInt8(truncatingIfNeeded: ~repeated[$0 >> 6] >> UInt64($0 & 63) & 1) }
  }
}
