import Kernels
import Pipeline
import Synchronization

/// Builds groups of near-duplicates: verifies the candidate pairs of one band after another and joins those that are similar enough.
struct CandidateGroups {
  var sets: UnionFind
  var report = FuzzyReport()
  private let configuration: DeduplicationConfiguration
  /// Pairs below the threshold, so that other bands do not compare them again. Bounded, because this only saves time.
  private var rejectedPairs: Set<UInt64> = []
  private var pending: [(a: UInt32, b: UInt32)] = []

  private static let rejectedLimit = 1 << 21
  private static let pendingLimit = 1 << 16
  private static let rounds = 4
  private static let probesPerComparison = 64

  init(count: Int, configuration: DeduplicationConfiguration) {
    sets = UnionFind(count: count)
    self.configuration = configuration
  }

  /// Verifies the candidate pairs of a band and joins those at or above the threshold.
  mutating func join(_ buckets: Buckets, starts: [Int], shingles: SpillBuffer<UInt32>, pool: ThreadPool, progress: Progress) throws {
    guard configuration.verify else {
      buckets.forEach { bucket in
        guard let first = bucket.first else { return }
        for member in bucket.dropFirst() { joinUnverified(first, member) }
      }
      return
    }
    // First, compare every document with the first of its bucket: in a bucket of copies, nothing else is needed.
    try buckets.forEach { bucket in
      guard let first = bucket.first else { return }
      for member in bucket.dropFirst() { propose(first, member) }
      if pending.count >= Self.pendingLimit { try compare(starts, shingles, pool, progress) }
    }
    try compare(starts, shingles, pool, progress)
    var left: [(bucket: ArraySlice<UInt32>, outsiders: [UInt32])] = []
    buckets.forEach { bucket in
      guard let first = bucket.first else { return }
      let root = sets.find(Int(first))
      let outsiders = bucket.filter { sets.find(Int($0)) != root }
      if !outsiders.isEmpty && bucket.count > 2 { left.append((bucket, outsiders)) }
    }
    // A bucket may hold several groups of copies: compare the documents that are left with the first of them, and repeat.
    for _ in 0..<Self.rounds where left.contains(where: { $0.outsiders.count > 1 }) {
      for entry in left where entry.outsiders.count > 1 {
        for member in entry.outsiders.dropFirst() { propose(entry.outsiders[0], member) }
        if pending.count >= Self.pendingLimit { try compare(starts, shingles, pool, progress) }
      }
      try compare(starts, shingles, pool, progress)
      for index in left.indices where left[index].outsiders.count > 1 {
        let root = sets.find(Int(left[index].outsiders[0]))
        left[index].outsiders.removeAll { sets.find(Int($0)) == root }
      }
    }
    // Last, look for links between the groups within a bucket.
    for entry in left { try compareAcross(entry.bucket, starts, shingles, pool, progress) }
    try compare(starts, shingles, pool, progress)
  }

  /// Pairs each document that is not in the group of the bucket's first one with documents of other groups, nearest first. Each group is
  /// limited to `maximumComparisons`, so that two large groups in one bucket do not cost a quadratic number of comparisons.
  private mutating func compareAcross(
    _ bucket: ArraySlice<UInt32>, _ starts: [Int], _ shingles: SpillBuffer<UInt32>, _ pool: ThreadPool, _ progress: Progress
  ) throws {
    var comparisons: [Int: Int] = [:]
    for place in bucket.indices.dropFirst() {
      let member = bucket[place]
      let root = sets.find(Int(bucket[bucket.startIndex]))
      let own = sets.find(Int(member))
      guard own != root else { continue }
      var left = comparisons[own] ?? configuration.maximumComparisons
      guard left > 0 else { continue }
      var probes = Self.probesPerComparison * configuration.maximumComparisons
      search: for distance in 1..<bucket.count {
        for other in [place - distance, place + distance] where bucket.indices.contains(other) {
          let theirs = sets.find(Int(bucket[other]))
          probes -= 1
          // Where neither document is in the first one's group, only the later one proposes the pair.
          if own != theirs, other < place || theirs == root {
            propose(min(bucket[other], member), max(bucket[other], member))
            left -= 1
          }
          if left == 0 || probes == 0 {
            report.skipped += 1
            break search
          }
        }
      }
      comparisons[own] = left
      if pending.count >= Self.pendingLimit { try compare(starts, shingles, pool, progress) }
    }
  }

  private mutating func joinUnverified(_ a: UInt32, _ b: UInt32) {
    guard sets.find(Int(a)) != sets.find(Int(b)) else { return }
    sets.union(Int(a), Int(b))
    if report.examples.count < configuration.examples { report.examples.append(.init(first: Int(a), second: Int(b), similarity: nil)) }
  }

  /// Queues a pair for comparison, unless it has been joined or rejected already.
  private mutating func propose(_ a: UInt32, _ b: UInt32) {
    guard sets.find(Int(a)) != sets.find(Int(b)) else { return }
    if !rejectedPairs.isEmpty, rejectedPairs.contains(UInt64(a) << 32 | UInt64(b)) { return }
    pending.append((a, b))
  }

  /// Compares the pending pairs in parallel, and joins those at or above the threshold in the order in which they were queued.
  private mutating func compare(_ starts: [Int], _ shingles: SpillBuffer<UInt32>, _ pool: ThreadPool, _ progress: Progress) throws {
    guard !pending.isEmpty else { return }
    try progress.checkStop()
    let threshold = configuration.threshold
    var similarities = [Double](repeating: 0, count: pending.count)
    let failure = Mutex<(any Error)?>(nil)
    pending.withUnsafeBufferPointer { pairs in
      similarities.withUnsafeMutableBufferPointer { results in
        nonisolated(unsafe) let results = results
        nonisolated(unsafe) let shingles = shingles
        starts.withUnsafeBufferPointer { starts in
          pool.ranges(pairs.count, grain: 256) { range in
            let sets = ShingleSets(shingles)
            do {
              for index in range { results[index] = try sets.similarity(pairs[index].a, pairs[index].b, starts, threshold) }
            } catch {
              failure.withLock { $0 = error }
            }
          }
        }
      }
    }
    if let failure = failure.withLock({ $0 }) { throw failure }
    for (pair, similarity) in zip(pending, similarities) {
      report.compared += 1
      if similarity >= threshold {
        sets.union(Int(pair.a), Int(pair.b))
        if report.examples.count < configuration.examples {
          report.examples.append(.init(first: Int(pair.a), second: Int(pair.b), similarity: similarity))
        }
      } else {
        report.rejected += 1
        if rejectedPairs.count < Self.rejectedLimit { rejectedPairs.insert(UInt64(pair.a) << 32 | UInt64(pair.b)) }
      }
    }
    pending.removeAll(keepingCapacity: true)
  }
}
