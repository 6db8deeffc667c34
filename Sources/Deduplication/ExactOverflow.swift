import Pipeline
import Primitives
import Storage

/// External-memory exact deduplication, used once the memory limit is reached: documents go to a spool, and fingerprints not seen before go
/// to temporary files, partitioned by value, each in input order. At the end, one partition after another is deduplicated, and the first of
/// equal fingerprints is kept. Linear in the number of fingerprints, which are written once and read once.
final class ExactOverflow {
  private struct Entry: BitwiseCopyable {
    var key: Checksum128
    /// The number of the piece (document, paragraph or line), counted over the documents in the spool.
    var piece: Int
  }

  private static let parts = 64
  let spool: DocumentSpool
  private let parts: [SpillBuffer<Entry>]
  private let memory: Int
  /// One bit per piece, set if the piece occurred before.
  private var repeated: [UInt64] = []
  /// The number of the first piece of each document in the spool.
  private var starts: [Int] = [0]

  init(memory: Int) throws {
    self.memory = memory
    spool = try DocumentSpool()
    parts = (0..<Self.parts).map { _ in SpillBuffer(limit: min(1 << 18, memory / (4 * Self.parts)), folder: nil) }
  }

  /// Adds the pieces of the next document in the spool.
  /// - Parameters:
  ///   - keys: the fingerprints of its pieces.
  ///   - fresh: per piece, 0 if its fingerprint is in the in-memory set.
  func add(_ keys: ArraySlice<Checksum128>, fresh: ArraySlice<UInt8>) throws {
    var piece = starts[starts.count - 1]
    for (key, fresh) in zip(keys, fresh) {
      if piece & 63 == 0 { repeated.append(0) }
      if fresh == 0 {
        repeated[piece >> 6] |= 1 << UInt64(piece & 63)
      } else if key.high | key.low != 0 {
        // `DigestSet` places fingerprints by `high`, so partition by `low`.
        try parts[Int(key.low >> 58)].append(CollectionOfOne(Entry(key: key, piece: piece)))
      }
      piece += 1
    }
    starts.append(piece)
  }

  /// Marks the pieces that occurred before.
  /// - Throws: `Stopped`, or `WeirError` if a temporary file cannot be read.
  func resolve(progress: Progress) throws {
    for (number, part) in parts.enumerated() {
      try progress.checkStop()
      progress.update(Double(number), of: Double(Self.parts), unit: "partitions")
      // A partition that does not fit into memory is read in several passes, each for a subset of the fingerprints.
      let passes = UInt64(max(1, part.count * 64 / max(1 << 20, memory)))
      for pass in 0..<passes {
        let seen = DigestSet()
        try part.forEachChunk { entries, _ in
          let mine = entries.filter { passes == 1 || $0.key.low % passes == pass }
          let fresh = seen.insert(mine.map(\.key))
          for (entry, fresh) in zip(mine, fresh) where fresh == 0 { repeated[entry.piece >> 6] |= 1 << UInt64(entry.piece & 63) }
        }
      }
    }
  }

  /// Per piece of a document in the spool, 1 if it is new, else 0.
  func fresh(_ document: Int) -> [UInt8] {
    (starts[document]..<starts[document + 1]).map { UInt8(truncatingIfNeeded: ~repeated[$0 >> 6] >> UInt64($0 & 63) & 1) }
  }
}
