import Primitives

/// How much text a document must share with an evaluation text, and what happens to it then.
///
/// Words are those of `FoldedText`. A character of a script without spaces counts for less than a word: two Han characters, three kana, or
/// four characters of Thai, Lao, Khmer, Burmese, Tibetan or a similar script for one word.
package struct DecontaminationConfiguration: Sendable, Equatable {
  /// Consecutive words shared with an evaluation text that drop a document (Brown et al. 2005.14165, appendix C: 13); 0 disables the rule.
  package var words = 13
  /// Minimum words of an evaluation text (8 in the same paper); shorter ones are ignored. A text with fewer than `words` words must match
  /// as a whole.
  package var minimumWords = 8
  /// n of the n-grams for `coverShare` (Chowdhery et al. 2204.02311, section 8: 8); 0 disables the rule.
  package var coverWords = 8
  /// Fraction of an evaluation text's distinct n-grams that drops a document.
  package var coverShare = 0.8
  /// N-grams that more documents of the corpus contain do not count (10 in Brown et al.: they are common phrases and boilerplate);
  /// 0 counts all.
  package var commonDocuments = 10
  /// Whether shared text is cut out of a document, as Brown et al. did, instead of dropping the document.
  package var cuts = false
  /// Characters that are cut out on each side of shared text.
  package var margin = 200
  /// Pieces between cuts with fewer characters than this are removed.
  package var minimumPiece = 200
  /// A document that is cut into more pieces is dropped.
  package var maximumPieces = 10

  package init() {}

  /// - Throws: `WeirError` that names the flag of a value out of range.
  package func validate() throws {
    func check(_ holds: Bool, _ flag: String, _ reason: String) throws { if !holds { throw WeirError(flag, reason) } }
    try check(0...1_000 ~= words, "--words", "must be 1…1000, or 0 to disable the rule, not \(words)")
    try check(1...1_000 ~= minimumWords, "--minimum-words", "must be 1…1000, not \(minimumWords)")
    try check(0...1_000 ~= coverWords, "--cover-words", "must be 1…1000, or 0 to disable the rule, not \(coverWords)")
    try check(coverShare > 0 && coverShare <= 1, "--cover-share", "must be above 0 and at most 1, not \(coverShare)")
    try check(words > 0 || coverWords > 0, "--words", "and --cover-words are both 0, which disables both rules; set one of them above 0")
    try check(
      0...Int(UInt32.max) ~= commonDocuments, "--common-documents", "must be 0 to count all n-grams, or more, not \(commonDocuments)")
  }
}
