extension Format {
  /// Reads a number of tokens or bytes, such as `1500000`, `1.5M` or `2G`; suffixes are decimal.
  /// - Returns: nil if it is not a number ≥ 0 below `limit`.
  package static func amount(_ text: String, below limit: Double) -> Int? {
    let scales: [Character: Double] = ["k": 1e3, "K": 1e3, "M": 1e6, "G": 1e9, "B": 1e9, "T": 1e12]
    let scale = text.last.flatMap { scales[$0] }
    guard let number = Double(scale == nil ? Substring(text) : text.dropLast()), number >= 0, number * (scale ?? 1) < limit else {
      return nil
    }
    return Int((number * (scale ?? 1)).rounded())
  }
}
