/// A published rule; its raw value is its name in `--rules` and the reason in accounts and rejects.
package enum FilterRule: String, Sendable, Codable, CaseIterable, Comparable {
  /// Fewer characters than `length.minimumCharacters`.
  case tooShort = "length.too_short"
  /// More characters than `length.maximumCharacters`.
  case tooLong = "length.too_long"

  /// Gopher table A1: fraction of paragraphs that repeat an earlier one.
  case duplicateParagraphs = "gopher.duplicate_paragraphs"
  /// Gopher table A1: fraction of characters in such paragraphs.
  case duplicateParagraphCharacters = "gopher.duplicate_paragraph_characters"
  /// Gopher table A1: fraction of lines that repeat an earlier one.
  case duplicateLines = "gopher.duplicate_lines"
  /// Gopher table A1: fraction of characters in such lines.
  case duplicateLineCharacters = "gopher.duplicate_line_characters"
  /// Gopher table A1: fraction of characters in the most frequent n-gram of words; reasons name n, `gopher.top_2_grams`.
  case topNGrams = "gopher.top_n_grams"
  /// Gopher table A1: fraction of characters in repeated n-grams of words; reasons name n, `gopher.duplicate_5_grams`.
  case duplicateNGrams = "gopher.duplicate_n_grams"

  /// Gopher A1.1: fewer words than 50.
  case tooFewWords = "gopher.too_few_words"
  /// Gopher A1.1: more words than 100,000.
  case tooManyWords = "gopher.too_many_words"
  /// Gopher A1.1: mean word length below 3.
  case wordsTooShort = "gopher.words_too_short"
  /// Gopher A1.1: mean word length above 10.
  case wordsTooLong = "gopher.words_too_long"
  /// Gopher A1.1: more than 0.1 hash signs per word.
  case tooManyHashes = "gopher.too_many_hashes"
  /// Gopher A1.1: more than 0.1 ellipses per word.
  case tooManyEllipses = "gopher.too_many_ellipses"
  /// Gopher A1.1: more than 90 % of the lines start with a bullet.
  case tooManyBullets = "gopher.too_many_bullets"
  /// Gopher A1.1: more than 30 % of the lines end with an ellipsis.
  case tooManyEllipsisLines = "gopher.too_many_ellipsis_lines"
  /// Gopher A1.1: fewer than 80 % of the words contain a letter.
  case tooFewAlphabeticWords = "gopher.too_few_alphabetic_words"
  /// Gopher A1.1: fewer than two distinct stop words.
  case tooFewStopWords = "gopher.too_few_stop_words"

  /// C4: drops documents that contain "lorem ipsum".
  case loremIpsum = "c4.lorem_ipsum"
  /// C4: drops documents that contain an opening curly bracket.
  case curlyBracket = "c4.curly_bracket"
  /// C4: drops documents with fewer than 5 sentences in the remaining lines.
  case tooFewSentences = "c4.too_few_sentences"
  /// C4: removes lines that do not end in terminal punctuation.
  case noTerminalPunctuation = "c4.no_terminal_punctuation"
  /// C4: removes lines of fewer than 3 words.
  case shortLines = "c4.short_lines"
  /// C4: removes lines with a word of more than 1,000 characters.
  case longWords = "c4.long_words"
  /// C4: removes lines with "javascript".
  case javascript = "c4.javascript"
  /// C4: removes lines about terms of use, privacy policies and cookies.
  case policy = "c4.policy"
  /// C4: removes Wikipedia's `[1]`, `[edit]` and `[citation needed]` from lines.
  case citations = "c4.citations"

  /// FineWeb §3.6: fewer than 12 % of the lines end in punctuation.
  case fewPunctuatedLines = "fineweb.few_punctuated_lines"
  /// FineWeb §3.6: more than 67 % of the lines have at most 30 characters.
  case manyShortLines = "fineweb.many_short_lines"
  /// FineWeb §3.6: more than 1 % of the characters are in repeated lines.
  case repeatedLineCharacters = "fineweb.repeated_line_characters"
  /// FineWeb's list rule: more than 0.3 newlines per word.
  case listLike = "fineweb.list_like"

  /// The order of declaration is the order of evaluation, which is FineWeb's: repetition, quality, C4, FineWeb.
  package static func < (left: FilterRule, right: FilterRule) -> Bool { left.position < right.position }

  private var position: Int { Self.positions[self] ?? 0 }
  private static let positions = Dictionary(uniqueKeysWithValues: allCases.enumerated().map { ($1, $0) })
}
