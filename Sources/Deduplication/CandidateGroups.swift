import CKernels
import Kernels
import Pipeline

/// Groups under way: candidates of one band after another are compared and joined.
struct CandidateGroups {
  var sets: UnionFind
  var report = FuzzyReport()
  private let configuration: DeduplicationConfiguration
  /// Pairs that were compared in vain; another band need not compare them again. Bounded, as it only saves time.
  private var refused: Set<UInt64> = []
  private var pending: [(a: UInt32, b: UInt32)] = []
  private var similarities: [Double] = []

  private static let refusedLimit = 1 << 21
  private static let pendingLimit = 1 << 16
  private static let rounds = 4
  private static let looksPerComparison = 64

  init(count: Int, configuration: DeduplicationConfiguration) {
    sets = UnionFind(count: count)
    self.configuration = configuration
  }

  /// Compares the candidates of a band and joins those that are alike.
  mutating func join(
    _ buckets: Buckets, starts: [Int], shingles: UnsafeBufferPointer<UInt32>, pool: ThreadPool, progress: Progress
  ) throws {
    guard configuration.verify else {
      buckets.forEach { bucket in
        guard let first = bucket.first else { return }
        for member in bucket.dropFirst() { joinUnseen(first, member) }
      }
      return
    }
    // First everybody with the first of the bucket: in a bucket of copies that is all.
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
    // Then those who are not with the first, with the first of them, and so on: a bucket may hold several groups of copies.
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
    // Last, across the groups of a bucket: whoever is not with the first, with the others, nearest first.
    for entry in left {
      for place in entry.bucket.indices.dropFirst() { try compareAcross(entry.bucket, place, starts, shingles, pool, progress) }
    }
    try compare(starts, shingles, pool, progress)
  }

  /// Proposes the document at `place` with others of its bucket, nearest first, no more than `maximumComparisons` of them.
  private mutating func compareAcross(
    _ bucket: ArraySlice<UInt32>, _ place: Int, _ starts: [Int], _ shingles: UnsafeBufferPointer<UInt32>, _ pool: ThreadPool,
    _ progress: Progress
  ) throws {
    let root = sets.find(Int(bucket[bucket.startIndex]))
    guard sets.find(Int(bucket[place])) != root else { return }
    let member = bucket[place]
    var left = configuration.maximumComparisons
    var looks = Self.looksPerComparison * configuration.maximumComparisons
    search: for distance in 1..<bucket.count {
      for other in [place - distance, place + distance] where bucket.indices.contains(other) {
        if left == 0 || looks == 0 {
          report.skipped += 1
          break search
        }
        looks -= 1
        let own = sets.find(Int(member))
        let theirs = sets.find(Int(bucket[other]))
        // Of two that are not with the first the later one proposes.
        guard own != theirs, other < place || theirs == root else { continue }
        if propose(min(bucket[other], member), max(bucket[other], member)) { left -= 1 }
      }
    }
    if pending.count >= Self.pendingLimit { try compare(starts, shingles, pool, progress) }
  }

  private mutating func joinUnseen(_ a: UInt32, _ b: UInt32) {
    guard sets.find(Int(a)) != sets.find(Int(b)) else { return }
    sets.union(Int(a), Int(b))
    if report.examples.count < configuration.examples {
      report.examples.append(.init(first: Int(a), second: Int(b), similarity: nil))
    }
  }

  /// Puts a pair on the list, unless it is joined or refused already.
  @discardableResult private mutating func propose(_ a: UInt32, _ b: UInt32) -> Bool {
    guard sets.find(Int(a)) != sets.find(Int(b)) else { return false }
    if !refused.isEmpty, refused.contains(UInt64(a) << 32 | UInt64(b)) { return false }
    pending.append((a, b))
    return true
  }

  /// Compares the pending pairs, in parallel, and joins those that are alike, in their order.
  private mutating func compare(
    _ starts: [Int], _ shingles: UnsafeBufferPointer<UInt32>, _ pool: ThreadPool, _ progress: Progress
  ) throws {
    guard !pending.isEmpty else { return }
    try progress.checkStop()
    let threshold = configuration.threshold
    similarities = [Double](repeating: 0, count: pending.count)
    pending.withUnsafeBufferPointer { pairs in
      similarities.withUnsafeMutableBufferPointer { results in
        nonisolated(unsafe) let results = results
        starts.withUnsafeBufferPointer { starts in
          pool.ranges(pairs.count, grain: 256) { range in
            for index in range {
              let (a, b) = (Int(pairs[index].a), Int(pairs[index].b))
              results[index] = Self.similarity(shingles, starts[a]..<starts[a + 1], starts[b]..<starts[b + 1], threshold)
            }
          }
        }
      }
    }
    for (pair, similarity) in zip(pending, similarities) {
      report.compared += 1
      if similarity >= threshold {
        sets.union(Int(pair.a), Int(pair.b))
        if report.examples.count < configuration.examples {
          report.examples.append(.init(first: Int(pair.a), second: Int(pair.b), similarity: similarity))
        }
      } else {
        report.rejected += 1
        if refused.count < Self.refusedLimit { refused.insert(UInt64(pair.a) << 32 | UInt64(pair.b)) }
      }
    }
    pending.removeAll(keepingCapacity: true)
  }

  /// The Jaccard similarity of two documents; 0 where their sizes alone put it below the threshold.
  private static func similarity(_ shingles: UnsafeBufferPointer<UInt32>, _ a: Range<Int>, _ b: Range<Int>, _ threshold: Double) -> Double {
    let (smaller, larger) = (min(a.count, b.count), max(a.count, b.count))
    guard smaller > 0, let base = shingles.baseAddress, Double(smaller) >= threshold * Double(larger) else { return 0 }
    let shared = weir_intersection(base + a.lowerBound, a.count, base + b.lowerBound, b.count)
    return Double(shared) / Double(a.count + b.count - shared)
  }
}
