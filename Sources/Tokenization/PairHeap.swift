/// Candidates for the next merge, ordered as in Hugging Face's trainer: by decreasing count, then by left and right id.
struct PairHeap {
  /// A pair with its count at the time of the push.
  struct Candidate {
    var count: Int
    var pair: UInt64
    var index: Int

    /// Whether this pair merges before `other`.
    @inline(__always)
    func precedes(_ other: Candidate) -> Bool { count != other.count ? count > other.count : pair < other.pair }
  }

  private var candidates: [Candidate]

  /// - Complexity: O(n).
  init(_ candidates: [Candidate]) {
    self.candidates = candidates
    var root = candidates.count / 2
    while root > 0 {
      root -= 1
      sink(root)
    }
  }

  mutating func push(_ candidate: Candidate) {
    candidates.append(candidate)
    var index = candidates.count - 1
    while index > 0, candidate.precedes(candidates[(index - 1) / 2]) {
      candidates[index] = candidates[(index - 1) / 2]
      index = (index - 1) / 2
    }
    candidates[index] = candidate
  }

  /// Removes the first candidate.
  mutating func pop() -> Candidate? {
    guard let top = candidates.first else { return nil }
    let last = candidates.removeLast()
    if !candidates.isEmpty {
      candidates[0] = last
      sink(0)
    }
    return top
  }

  private mutating func sink(_ start: Int) {
    let value = candidates[start]
    var index = start
    while true {
      var child = 2 * index + 1
      guard child < candidates.count else { break }
      if child + 1 < candidates.count, candidates[child + 1].precedes(candidates[child]) { child += 1 }
      guard candidates[child].precedes(value) else { break }
      candidates[index] = candidates[child]
      index = child
    }
    candidates[index] = value
  }
}
