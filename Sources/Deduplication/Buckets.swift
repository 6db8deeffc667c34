import CKernels

/// Groups of documents that share a fingerprint in one band. Documents with a unique fingerprint are left out.
struct Buckets {
  /// The document numbers of all buckets, one bucket after another, ascending within each.
  private(set) var members: [UInt32] = []
  /// The end of each bucket in `members`.
  private(set) var ends: [Int] = []

  init() {}

  /// Adds a bucket of document numbers in ascending order; a bucket with fewer than two is ignored.
  mutating func append(_ documents: [UInt32]) {
    guard documents.count > 1 else { return }
    members += documents
    ends.append(members.count)
  }

  /// Groups documents by fingerprint.
  /// - Parameters:
  ///   - keys: the fingerprint of each document.
  ///   - range: the fingerprints to include.
  ///   - counts: whether to include a document.
  /// - Throws: `WeirError` when a temporary file cannot be read.
  init(_ keys: SpillBuffer<UInt64>, in range: ClosedRange<UInt64>, where counts: (Int) -> Bool) throws {
    var sorted: [UInt64] = []
    var documents: [UInt32] = []
    let share = Double(range.upperBound - range.lowerBound) * 0x1p-64
    sorted.reserveCapacity(Int(Double(keys.count) * min(1, share * 1.05)))
    documents.reserveCapacity(sorted.capacity)
    try keys.forEachChunk { keys, first in
      for (index, key) in keys.enumerated() where range.contains(key) && counts(first + index) {
        sorted.append(key)
        documents.append(UInt32(first + index))
      }
    }
    let count = sorted.count
    guard count > 1 else { return }
    var keyScratch = [UInt64](repeating: 0, count: count)
    var valueScratch = [UInt32](repeating: 0, count: count)
    weir_sort_pairs(&sorted, &documents, count, &keyScratch, &valueScratch)
    var start = 0
    while start < count {
      var end = start + 1
      while end < count, sorted[end] == sorted[start] { end += 1 }
      if end - start > 1 {
        members += documents[start..<end]
        ends.append(members.count)
      }
      start = end
    }
  }

  /// Calls `body` with the members of each bucket.
  func forEach(_ body: (ArraySlice<UInt32>) throws -> Void) rethrows {
    var start = 0
    for end in ends {
      try body(members[start..<end])
      start = end
    }
  }
}
