/// Which rules are on, and every threshold; the defaults are the published ones as datatrove implements them.
///
/// A member that is missing in JSON has its default; an unknown one is ignored.
public struct FilterConfiguration: Sendable, Codable, Equatable {
  /// The rules that are on.
  public var rules = FilterRules.finewebRecipe
  /// Thresholds of the length rules.
  public var length = Length()
  /// Thresholds of Gopher's repetition rules.
  public var gopherRepetition = GopherRepetition()
  /// Thresholds of Gopher's quality rules.
  public var gopherQuality = GopherQuality()
  /// Thresholds of C4's rules.
  public var c4 = C4()
  /// Thresholds of FineWeb's rules.
  public var fineweb = FineWeb()
  /// Which languages are kept.
  public var language = Language()
  /// Whether e-mail and public IP addresses are replaced in what is kept.
  public var masksPersonalData = false

  /// Creates a configuration with the published thresholds.
  public init(rules: FilterRules = .finewebRecipe) { self.rules = rules }

  /// The least and the most text.
  public struct Length: Sendable, Codable, Equatable {
    /// Unicode code points a document must have.
    public var minimumCharacters = 1
    /// Unicode code points a document may have.
    public var maximumCharacters = 10_000_000
    /// Creates the defaults.
    public init() {}
  }

  /// The language filter; FineWeb keeps English from a score of 0.65 on (Penedo et al. 2406.17557, §3.3).
  public struct Language: Sendable, Codable, Equatable {
    /// Codes of the languages that are kept, `und` among them; all where there is none.
    public var keeps: [String] = []
    /// The least probability by the model.
    public var threshold = 0.65
    /// Whether `language` and `language_score` are noted in what is kept.
    public var annotates = false
    /// Creates the defaults.
    public init() {}
  }

  /// A limit for n-grams of one length.
  public struct NGramLimit: Sendable, Codable, Equatable {
    /// Words in the n-gram, at least 1.
    public var n: Int
    /// The share of the text's characters above which the document is dropped.
    public var share: Double
    /// Creates a limit.
    public init(n: Int, share: Double) {
      self.n = n
      self.share = share
    }
  }

  /// Gopher's repetition rules (Rae et al. 2112.11446, table A1). A document is dropped above a threshold.
  public struct GopherRepetition: Sendable, Codable, Equatable {
    /// Share of paragraphs that repeat an earlier one.
    public var duplicateParagraphShare = 0.3
    /// Share of characters in such paragraphs.
    public var duplicateParagraphCharacterShare = 0.2
    /// Share of lines that repeat an earlier one.
    public var duplicateLineShare = 0.3
    /// Share of characters in such lines.
    public var duplicateLineCharacterShare = 0.2
    /// Share of characters in the most frequent n-gram.
    public var topNGrams = [NGramLimit(n: 2, share: 0.2), NGramLimit(n: 3, share: 0.18), NGramLimit(n: 4, share: 0.16)]
    /// Share of characters in repeated n-grams.
    public var duplicateNGrams = [
      NGramLimit(n: 5, share: 0.15), NGramLimit(n: 6, share: 0.14), NGramLimit(n: 7, share: 0.13), NGramLimit(n: 8, share: 0.12),
      NGramLimit(n: 9, share: 0.11), NGramLimit(n: 10, share: 0.10),
    ]
    /// Creates the defaults.
    public init() {}
  }

  /// Gopher's quality rules (Rae et al. 2112.11446, appendix A1.1).
  public struct GopherQuality: Sendable, Codable, Equatable {
    /// Words (with something else than punctuation in them) a document must have.
    public var minimumWords = 50
    /// Words it may have.
    public var maximumWords = 100_000
    /// The least mean word length in code points.
    public var minimumMeanWordLength = 3.0
    /// The greatest mean word length in code points.
    public var maximumMeanWordLength = 10.0
    /// Hash signs, and ellipses, a word.
    public var maximumSymbolsPerWord = 0.1
    /// Share of lines that start with `•` or `-`.
    public var maximumBulletLineShare = 0.9
    /// Share of lines that end with `...` or `…`.
    public var maximumEllipsisLineShare = 0.3
    /// Share of words that hold a letter, at least.
    public var minimumAlphabeticWordShare = 0.8
    /// Different stop words, at least.
    public var minimumStopWords = 2
    /// The stop words, lower case ASCII.
    public var stopWords = ["the", "be", "to", "of", "and", "that", "have", "with"]
    /// Creates the defaults.
    public init() {}
  }

  /// C4's rules (Raffel et al., JMLR 21(140), §2.2, and its published code).
  public struct C4: Sendable, Codable, Equatable {
    /// Sentences a document must have in the lines that are left.
    public var minimumSentences = 5
    /// Words a line must have.
    public var minimumWordsPerLine = 3
    /// Code points a word may have before its line is taken out.
    public var maximumWordLength = 1_000
    /// Whether the text goes on without the lines that were taken out, as in C4; otherwise the rules only judge the document.
    public var removesLines = true
    /// Creates the defaults.
    public init() {}
  }

  /// FineWeb's rules (Penedo et al. 2406.17557, §3.6).
  public struct FineWeb: Sendable, Codable, Equatable {
    /// Share of lines that end in punctuation, at least.
    public var minimumPunctuatedLineShare = 0.12
    /// Code points up to which a line is short.
    public var shortLineCharacters = 30
    /// Share of short lines, at most.
    public var maximumShortLineShare = 0.67
    /// Share of characters in repeated lines, at most.
    public var maximumDuplicateCharacterShare = 0.01
    /// Line ends a word, at most.
    public var maximumNewlinesPerWord = 0.3
    /// Creates the defaults.
    public init() {}
  }
}
