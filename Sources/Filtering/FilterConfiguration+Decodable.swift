// Missing members have their defaults: a recipe names only what differs. Each type decodes over its default value.

/// A member's name as a key.
private struct MemberName: CodingKey {
  var stringValue: String
  var intValue: Int? { nil }
  init(_ name: String) { stringValue = name }
  init?(stringValue: String) { self.init(stringValue) }
  init?(intValue: Int) { nil }
}

extension KeyedDecodingContainer<MemberName> {
  fileprivate func read<Value: Decodable>(_ name: String, into value: inout Value) throws {
    if let found = try decodeIfPresent(Value.self, forKey: MemberName(name)) { value = found }
  }
}

extension FilterConfiguration {
  /// Reads the members that are there.
  package init(from decoder: any Decoder) throws {
    let members = try decoder.container(keyedBy: MemberName.self)
    try members.read("rules", into: &rules)
    try members.read("length", into: &length)
    try members.read("gopherRepetition", into: &gopherRepetition)
    try members.read("gopherQuality", into: &gopherQuality)
    try members.read("c4", into: &c4)
    try members.read("fineweb", into: &fineweb)
    try members.read("language", into: &language)
    try members.read("masksPersonalData", into: &masksPersonalData)
  }
}

extension FilterConfiguration.Length {
  /// Reads the members that are there.
  package init(from decoder: any Decoder) throws {
    let members = try decoder.container(keyedBy: MemberName.self)
    try members.read("minimumCharacters", into: &minimumCharacters)
    try members.read("maximumCharacters", into: &maximumCharacters)
  }
}

extension FilterConfiguration.Language {
  /// Reads the members that are there.
  package init(from decoder: any Decoder) throws {
    let members = try decoder.container(keyedBy: MemberName.self)
    try members.read("keeps", into: &keeps)
    try members.read("threshold", into: &threshold)
    try members.read("annotates", into: &annotates)
  }
}

extension FilterConfiguration.GopherRepetition {
  /// Reads the members that are there.
  package init(from decoder: any Decoder) throws {
    let members = try decoder.container(keyedBy: MemberName.self)
    try members.read("duplicateParagraphShare", into: &duplicateParagraphShare)
    try members.read("duplicateParagraphCharacterShare", into: &duplicateParagraphCharacterShare)
    try members.read("duplicateLineShare", into: &duplicateLineShare)
    try members.read("duplicateLineCharacterShare", into: &duplicateLineCharacterShare)
    try members.read("topNGrams", into: &topNGrams)
    try members.read("duplicateNGrams", into: &duplicateNGrams)
  }
}

extension FilterConfiguration.GopherQuality {
  /// Reads the members that are there.
  package init(from decoder: any Decoder) throws {
    let members = try decoder.container(keyedBy: MemberName.self)
    try members.read("minimumWords", into: &minimumWords)
    try members.read("maximumWords", into: &maximumWords)
    try members.read("minimumMeanWordLength", into: &minimumMeanWordLength)
    try members.read("maximumMeanWordLength", into: &maximumMeanWordLength)
    try members.read("maximumSymbolsPerWord", into: &maximumSymbolsPerWord)
    try members.read("maximumBulletLineShare", into: &maximumBulletLineShare)
    try members.read("maximumEllipsisLineShare", into: &maximumEllipsisLineShare)
    try members.read("minimumAlphabeticWordShare", into: &minimumAlphabeticWordShare)
    try members.read("minimumStopWords", into: &minimumStopWords)
    try members.read("stopWords", into: &stopWords)
  }
}

extension FilterConfiguration.C4 {
  /// Reads the members that are there.
  package init(from decoder: any Decoder) throws {
    let members = try decoder.container(keyedBy: MemberName.self)
    try members.read("minimumSentences", into: &minimumSentences)
    try members.read("minimumWordsPerLine", into: &minimumWordsPerLine)
    try members.read("maximumWordLength", into: &maximumWordLength)
    try members.read("removesLines", into: &removesLines)
  }
}

extension FilterConfiguration.FineWeb {
  /// Reads the members that are there.
  package init(from decoder: any Decoder) throws {
    let members = try decoder.container(keyedBy: MemberName.self)
    try members.read("minimumPunctuatedLineShare", into: &minimumPunctuatedLineShare)
    try members.read("shortLineCharacters", into: &shortLineCharacters)
    try members.read("maximumShortLineShare", into: &maximumShortLineShare)
    try members.read("maximumDuplicateCharacterShare", into: &maximumDuplicateCharacterShare)
    try members.read("maximumNewlinesPerWord", into: &maximumNewlinesPerWord)
  }
}
