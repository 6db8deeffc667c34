import Primitives

/// What a document and an evaluation text must share for the document to go.
package struct DecontaminationConfiguration: Sendable, Codable, Equatable {
  /// A document goes that shares so many words in a row with an evaluation text (Brown et al. 2005.14165, appendix C: 13); 0 for none.
  package var words = 13
  /// An evaluation text of fewer words than that counts as a whole, down to so many (8 there, too); shorter ones are not looked for.
  package var minimumWords = 8
  /// The n-grams whose share is taken (Chowdhery et al. 2204.02311, section 8: 8); 0 for none.
  package var coverWords = 8
  /// A document goes that has this share of the different n-grams of an evaluation text.
  package var coverShare = 0.8

  /// The default configuration.
  package init() {}

  /// Checks every member's range.
  /// - Throws: `WeirError` that names the flag.
  package func validate() throws {
    func check(_ holds: Bool, _ flag: String, _ value: String, _ remedy: String) throws {
      if !holds { throw WeirError(flag, value, remedy: remedy) }
    }
    try check(0...1_000 ~= words, "--words", "\(words) words", "give 1 to 1000, or 0 for none")
    try check(1...1_000 ~= minimumWords, "--minimum-words", "\(minimumWords) words", "give 1 to 1000")
    try check(0...1_000 ~= coverWords, "--cover-words", "\(coverWords) words", "give 1 to 1000, or 0 for none")
    try check(coverShare > 0 && coverShare <= 1, "--cover-share", "a share of \(coverShare)", "give a number above 0, at most 1")
    try check(words > 0 || coverWords > 0, "--words", "neither rule is on", "leave --words or --cover-words above 0")
  }
}
