import CKernels

/// The words of a text as near-duplicates and decontamination compare them; `word_folding.h` describes them. The buffers are reused for the
/// next text.
struct FoldedText: Sendable {
  struct Options: OptionSet, Sendable {
    let rawValue: UInt32

    /// Symbols are words.
    static let symbols = Options(rawValue: UInt32(WEIR_SYMBOLS))
    /// All punctuation and symbols are words.
    static let allPunctuation = Options(rawValue: UInt32(WEIR_ALL_PUNCTUATION))
    /// A run of digits is one 0.
    static let numbersAlike = Options(rawValue: UInt32(WEIR_NUMBERS_ALIKE))
  }

  /// The weight of a word of a script with spaces; characters of scripts without spaces weigh less.
  static let wordWeight = 12

  /// The number of words, or of n-grams after `makeShingles`.
  private(set) var count = 0
  /// Whether words may weigh less than `wordWeight`.
  private(set) var isUnspaced = false
  private var options: Options = []
  private var folded: [UInt8] = []
  private var end = 0
  private var hashes: [UInt64] = []
  private var weights: [UInt8] = []
  private var grams: [UInt64] = []

  /// Reads the words that decontamination compares: of a text without letters and digits, its punctuation and symbols.
  mutating func read(_ text: [UInt8]) {
    readWords(text, [])
    if count == 0 { readWords(text, .allPunctuation) }
    weigh()
  }

  /// Reads the shingles that fuzzy deduplication compares. A text with fewer words than a shingle has one, which includes all punctuation.
  mutating func makeShingles(_ text: [UInt8], words: Int, numbersAlike: Bool) {
    let options: Options = numbersAlike ? .numbersAlike : []
    readWords(text, options.union(.symbols))
    let isShort = count < words
    if isShort { readWords(text, options.union(.allPunctuation)) }
    let length = isShort ? count : words
    hashes.withUnsafeMutableBufferPointer { count = weir_ngrams($0.baseAddress, count, length, $0.baseAddress) }
  }

  /// Calls `body` with the fingerprints of the words or shingles.
  func withHashes<R>(_ body: (UnsafeBufferPointer<UInt64>) throws -> R) rethrows -> R {
    try hashes.withUnsafeBufferPointer { try body(UnsafeBufferPointer(rebasing: $0[..<count])) }
  }

  /// The weight of all words.
  var weight: Int { isUnspaced ? weights[..<count].reduce(0) { $0 + Int($1) } : count * Self.wordWeight }

  /// Calls `body` with the fingerprints of the shortest runs of words that weigh at least `words` words, from each word on.
  mutating func withGrams(weighing words: Int, _ body: (UnsafeBufferPointer<UInt64>) -> Void) {
    if grams.count < count { grams = [UInt64](repeating: 0, count: max(count, 2 * grams.count)) }
    let made =
      isUnspaced
      ? weir_weighted_ngrams(hashes, weights, count, words * Self.wordWeight, &grams) : weir_ngrams(hashes, count, words, &grams)
    grams.withUnsafeBufferPointer { body(UnsafeBufferPointer(rebasing: $0[..<made])) }
  }

  /// The number of words from `first` on that weigh at least `words` words; nil where the text ends before.
  func length(from first: Int, weighing words: Int) -> Int? {
    guard isUnspaced else { return first + words <= count ? words : nil }
    var total = 0
    for place in first..<count {
      total += Int(weights[place])
      if total >= words * Self.wordWeight { return place + 1 - first }
    }
    return nil
  }

  /// The fingerprint of an n-gram; nil where the text ends before.
  func gram(from first: Int, length: Int) -> UInt64? {
    guard first + length <= count else { return nil }
    var gram: UInt64 = 0
    hashes.withUnsafeBufferPointer { _ = weir_ngrams($0.baseAddress.map { $0 + first }, length, length, &gram) }
    return gram
  }

  /// Where the words of the text that was read last begin and end.
  mutating func bounds(_ text: [UInt8]) -> [Range<Int>] {
    [Range<Int>](unsafeUninitializedCapacity: count) { bounds, made in
      // A `Range<Int>` is laid out as its two bounds.
      made = bounds.withMemoryRebound(to: Int.self) {
        weir_fold_bounds(
          text, text.count, options.rawValue, &folded, folded.count,
          UnsafeMutableRawPointer($0.baseAddress)?.assumingMemoryBound(to: Int.self))
      }
    }
  }

  private mutating func readWords(_ text: [UInt8], _ options: Options) {
    self.options = options
    (count, isUnspaced) = (0, false)
    guard !text.isEmpty else { return }
    // Most texts become shorter; Hangul takes three times the room, and few code points up to eleven times.
    for share in [3, 8, 24] {
      let room = text.count * share / 2 + 512
      if folded.count < room { folded = [UInt8](repeating: 0, count: max(room, folded.count * 3 / 2)) }
      var unspaced: Int32 = 0
      end = weir_fold(text, text.count, options.rawValue, &folded, folded.count, &unspaced)
      isUnspaced = unspaced != 0
      if end > 0 { break }
    }
    precondition(end > 0, "the largest buffer holds every text")
    if hashes.count < end / 2 { hashes = [UInt64](repeating: 0, count: max(end / 2, hashes.count * 3 / 2)) }
    count = weir_folded_words(folded, end, &hashes, nil)
  }

  private mutating func weigh() {
    guard isUnspaced else { return }
    if weights.count < count { weights = [UInt8](repeating: 0, count: hashes.count) }
    _ = weir_folded_words(folded, end, &hashes, &weights)
  }
}
