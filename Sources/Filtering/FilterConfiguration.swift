/// The rules that are on, and every threshold; the defaults are the published ones as datatrove implements them.
package struct FilterConfiguration: Sendable, Codable, Equatable {
  package var rules = FilterRules.finewebRecipe
  package var length = Length()
  package var gopherRepetition = GopherRepetition()
  package var gopherQuality = GopherQuality()
  package var c4 = C4()
  package var fineweb = FineWeb()
  package var language = Language()
  /// Whether e-mail and public IP addresses are masked in kept documents.
  package var masksPersonalData = false
  /// Whether masking leaves versions and long dotted numbers alone, and takes in IPv6 and mail addresses with letters beyond ASCII.
  package var masksStrictly = false

  package init(rules: FilterRules = .finewebRecipe) { self.rules = rules }

  /// Limits on the length of a document.
  package struct Length: Sendable, Codable, Equatable {
    /// Minimum Unicode code points.
    package var minimumCharacters = 1
    /// Maximum Unicode code points.
    package var maximumCharacters = 10_000_000
  }

  /// The language filter; FineWeb keeps English with a score of at least 0.65 (Penedo et al. 2406.17557, §3.3).
  package struct Language: Sendable, Codable, Equatable {
    /// Codes of the languages to keep, possibly `und`; empty keeps all.
    package var keeps: [String] = []
    /// Minimum probability of the language, 0…1.
    package var threshold = 0.65
    /// Whether kept documents get the members `language` and `language_score`.
    package var annotates = false
    package init() {}
  }

  /// A limit on n-grams of one length.
  package struct NGramLimit: Sendable, Codable, Equatable {
    /// Words in the n-gram, at least 1.
    package var n: Int
    /// A document with a larger fraction of its characters in such n-grams is dropped.
    package var share: Double
    package init(n: Int, share: Double) {
      self.n = n
      self.share = share
    }
  }

  /// Gopher's repetition rules (Rae et al. 2112.11446, table A1). A document above a threshold is dropped.
  package struct GopherRepetition: Sendable, Codable, Equatable {
    /// Fraction of paragraphs that repeat an earlier one.
    package var duplicateParagraphShare = 0.3
    /// Fraction of characters in such paragraphs.
    package var duplicateParagraphCharacterShare = 0.2
    /// Fraction of lines that repeat an earlier one.
    package var duplicateLineShare = 0.3
    /// Fraction of characters in such lines.
    package var duplicateLineCharacterShare = 0.2
    /// Fraction of characters in the most frequent n-gram.
    package var topNGrams = [NGramLimit(n: 2, share: 0.2), NGramLimit(n: 3, share: 0.18), NGramLimit(n: 4, share: 0.16)]
    /// Fraction of characters in repeated n-grams.
    package var duplicateNGrams = [
      NGramLimit(n: 5, share: 0.15), NGramLimit(n: 6, share: 0.14), NGramLimit(n: 7, share: 0.13), NGramLimit(n: 8, share: 0.12),
      NGramLimit(n: 9, share: 0.11), NGramLimit(n: 10, share: 0.10),
    ]
    package init() {}
  }

  /// Gopher's quality rules (Rae et al. 2112.11446, appendix A1.1).
  package struct GopherQuality: Sendable, Codable, Equatable {
    /// Minimum words, not counting punctuation.
    package var minimumWords = 50
    /// Maximum words, not counting punctuation.
    package var maximumWords = 100_000
    /// Minimum mean word length in code points.
    package var minimumMeanWordLength = 3.0
    /// Maximum mean word length in code points.
    package var maximumMeanWordLength = 10.0
    /// Maximum hash signs per word, and ellipses per word.
    package var maximumSymbolsPerWord = 0.1
    /// Maximum fraction of lines that start with `•` or `-`.
    package var maximumBulletLineShare = 0.9
    /// Maximum fraction of lines that end with `...` or `…`.
    package var maximumEllipsisLineShare = 0.3
    /// Minimum fraction of words that contain a letter.
    package var minimumAlphabeticWordShare = 0.8
    /// Minimum distinct stop words.
    package var minimumStopWords = 2
    /// Lowercase ASCII.
    package var stopWords = ["the", "be", "to", "of", "and", "that", "have", "with"]
  }

  /// C4's rules (Raffel et al., JMLR 21(140), §2.2, and its published code).
  package struct C4: Sendable, Codable, Equatable {
    /// Minimum sentences in the lines that remain.
    package var minimumSentences = 5
    /// Minimum words per line.
    package var minimumWordsPerLine = 3
    /// A line with a word of more code points is removed.
    package var maximumWordLength = 1_000
    /// Whether the removed lines are cut from the text, as in C4; otherwise they only count in the decision about the document.
    package var removesLines = true
  }

  /// FineWeb's rules (Penedo et al. 2406.17557, §3.6).
  package struct FineWeb: Sendable, Codable, Equatable {
    /// Minimum fraction of lines that end in punctuation.
    package var minimumPunctuatedLineShare = 0.12
    /// Maximum code points of a short line.
    package var shortLineCharacters = 30
    /// Maximum fraction of short lines.
    package var maximumShortLineShare = 0.67
    /// Maximum fraction of characters in repeated lines.
    package var maximumDuplicateCharacterShare = 0.01
    /// Maximum newlines per word.
    package var maximumNewlinesPerWord = 0.3
  }
}
