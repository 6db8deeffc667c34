import Primitives

/// How much text a document must share with an evaluation text to be dropped.
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

  package init() {}

  /// - Throws: `WeirError` that names the flag of a value out of range.
  package func validate() throws {
    func check(_ holds: Bool, _ flag: String, _ reason: String) throws { if !holds { throw WeirError(flag, reason) } }
    try check(0...1_000 ~= words, "--words", "must be 1…1000, or 0 to disable the rule, not \(words)")
    try check(1...1_000 ~= minimumWords, "--minimum-words", "must be 1…1000, not \(minimumWords)")
    try check(0...1_000 ~= coverWords, "--cover-words", "must be 1…1000, or 0 to disable the rule, not \(coverWords)")
    try check(coverShare > 0 && coverShare <= 1, "--cover-share", "must be above 0 and at most 1, not \(coverShare)")
    try check(words > 0 || coverWords > 0, "--words", "and --cover-words are both 0, which disables both rules; set one of them above 0")
  }
}
