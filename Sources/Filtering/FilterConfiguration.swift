/// Which rules are on, and every threshold; the defaults are the published ones as datatrove implements them.
///
/// A member that is missing in JSON has its default; an unknown one is ignored.
package struct FilterConfiguration: Sendable, Codable, Equatable {
  /// The rules that are on.
  package var rules = FilterRules.finewebRecipe
  /// Thresholds of the length rules.
  package var length = Length()
  /// Thresholds of Gopher's repetition rules.
  package var gopherRepetition = GopherRepetition()
  /// Thresholds of Gopher's quality rules.
  package var gopherQuality = GopherQuality()
  /// Thresholds of C4's rules.
  package var c4 = C4()
  /// Thresholds of FineWeb's rules.
  package var fineweb = FineWeb()
  /// Which languages are kept.
  package var language = Language()
  /// Whether e-mail and public IP addresses are replaced in what is kept.
  package var masksPersonalData = false

  /// Creates a configuration with the published thresholds.
  package init(rules: FilterRules = .finewebRecipe) { self.rules = rules }

  /// The least and the most text.
  package struct Length: Sendable, Codable, Equatable {
    /// Unicode code points a document must have.
    package var minimumCharacters = 1
    /// Unicode code points a document may have.
    package var maximumCharacters = 10_000_000
    /// Creates the defaults.
    package init() {}
  }

  /// The language filter; FineWeb keeps English from a score of 0.65 on (Penedo et al. 2406.17557, §3.3).
  package struct Language: Sendable, Codable, Equatable {
    /// Codes of the languages that are kept, `und` among them; all where there is none.
    package var keeps: [String] = []
    /// The least probability by the model.
    package var threshold = 0.65
    /// Whether `language` and `language_score` are noted in what is kept.
    package var annotates = false
    /// Creates the defaults.
    package init() {}
  }

  /// A limit for n-grams of one length.
  package struct NGramLimit: Sendable, Codable, Equatable {
    /// Words in the n-gram, at least 1.
    package var n: Int
    /// The share of the text's characters above which the document is dropped.
    package var share: Double
    /// Creates a limit.
    package init(n: Int, share: Double) {
      self.n = n
      self.share = share
    }
  }

  /// Gopher's repetition rules (Rae et al. 2112.11446, table A1). A document is dropped above a threshold.
  package struct GopherRepetition: Sendable, Codable, Equatable {
    /// Share of paragraphs that repeat an earlier one.
    package var duplicateParagraphShare = 0.3
    /// Share of characters in such paragraphs.
    package var duplicateParagraphCharacterShare = 0.2
    /// Share of lines that repeat an earlier one.
    package var duplicateLineShare = 0.3
    /// Share of characters in such lines.
    package var duplicateLineCharacterShare = 0.2
    /// Share of characters in the most frequent n-gram.
    package var topNGrams = [NGramLimit(n: 2, share: 0.2), NGramLimit(n: 3, share: 0.18), NGramLimit(n: 4, share: 0.16)]
    /// Share of characters in repeated n-grams.
    package var duplicateNGrams = [
      NGramLimit(n: 5, share: 0.15), NGramLimit(n: 6, share: 0.14), NGramLimit(n: 7, share: 0.13), NGramLimit(n: 8, share: 0.12),
      NGramLimit(n: 9, share: 0.11), NGramLimit(n: 10, share: 0.10),
    ]
    /// Creates the defaults.
    package init() {}
  }

  /// Gopher's quality rules (Rae et al. 2112.11446, appendix A1.1).
  package struct GopherQuality: Sendable, Codable, Equatable {
    /// Words (with something else than punctuation in them) a document must have.
    package var minimumWords = 50
    /// Words it may have.
    package var maximumWords = 100_000
    /// The least mean word length in code points.
    package var minimumMeanWordLength = 3.0
    /// The greatest mean word length in code points.
    package var maximumMeanWordLength = 10.0
    /// Hash signs, and ellipses, a word.
    package var maximumSymbolsPerWord = 0.1
    /// Share of lines that start with `•` or `-`.
    package var maximumBulletLineShare = 0.9
    /// Share of lines that end with `...` or `…`.
    package var maximumEllipsisLineShare = 0.3
    /// Share of words that hold a letter, at least.
    package var minimumAlphabeticWordShare = 0.8
    /// Different stop words, at least.
    package var minimumStopWords = 2
    /// The stop words, lower case ASCII.
    package var stopWords = ["the", "be", "to", "of", "and", "that", "have", "with"]
    /// Creates the defaults.
    package init() {}
  }

  /// C4's rules (Raffel et al., JMLR 21(140), §2.2, and its published code).
  package struct C4: Sendable, Codable, Equatable {
    /// Sentences a document must have in the lines that are left.
    package var minimumSentences = 5
    /// Words a line must have.
    package var minimumWordsPerLine = 3
    /// Code points a word may have before its line is taken out.
    package var maximumWordLength = 1_000
    /// Whether the text goes on without the lines that were taken out, as in C4; otherwise the rules only judge the document.
    package var removesLines = true
    /// Creates the defaults.
    package init() {}
  }

  /// FineWeb's rules (Penedo et al. 2406.17557, §3.6).
  package struct FineWeb: Sendable, Codable, Equatable {
    /// Share of lines that end in punctuation, at least.
    package var minimumPunctuatedLineShare = 0.12
    /// Code points up to which a line is short.
    package var shortLineCharacters = 30
    /// Share of short lines, at most.
    package var maximumShortLineShare = 0.67
    /// Share of characters in repeated lines, at most.
    package var maximumDuplicateCharacterShare = 0.01
    /// Line ends a word, at most.
    package var maximumNewlinesPerWord = 0.3
    /// Creates the defaults.
    package init() {}
  }
}
