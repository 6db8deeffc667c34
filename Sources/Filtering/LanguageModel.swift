import CKernels
import Foundation

/// Language identification by two models that `scripts/languages` makes: a linear model on n-grams, words and scripts (`language.c`), and the naive Bayes model
/// on byte n-grams of py3langid (`language_ngrams.c`). The language with the highest weighted product of probabilities is the answer.
///
/// The first model also has classes for many languages that it does not name. A text in one of these, without letters, or unlike all classes is
/// undetermined (`und`).
/// The accuracy is in `docs/decisions/005-language-identification.md`.
package enum LanguageModel {
  package struct Answer: Sendable, Equatable {
    /// ISO 639 code, of two letters where there is one, or `und` for undetermined.
    package var language: String
    /// Probability, 0…1; 0 for `und`.
    package var score: Double

    fileprivate static let undetermined = Answer(language: "und", score: 0)
  }

  private static let classes: [String] = (0..<weir_language_classes()).map { String(cString: weir_language_code($0)) }

  /// Codes of the languages that the model names, sorted.
  package static let languages = Set(classes).subtracting(["und"]).sorted()

  /// The language of each class as an index into `languages`; the last index is that of `und`.
  private static let languageOfClass = classes.map { languages.firstIndex(of: $0) ?? languages.count }
  private static let languageOfNGramClass = (0..<weir_ngram_classes()).compactMap {
    languages.firstIndex(of: String(cString: weir_ngram_code($0)))
  }

  /// The tables of the n-gram model, which live as long as the process.
  nonisolated(unsafe) private static let tables: OpaquePointer = {
    let tables = OpaquePointer(UnsafeMutableRawPointer.allocate(byteCount: weir_ngrams_size(), alignment: 64))
    weir_ngrams_build(tables)
    return tables
  }()

  /// Bytes that each model reads in this many places. The n-gram model takes longer for each byte, and needs as many only for close languages.
  private static let window = 256
  private static let ngramWindow = 64
  private static let windows = 5
  /// The n-gram model reads more if the logarithms of the two likeliest languages are closer than this.
  private static let clearLead = 6.0

  /// How much the n-gram model weighs against the other: its evidence grows with the text, but neighboring n-grams depend on each other.
  private static func ngramWeight(_ ngrams: Double) -> Double { 1.3 * (12 / ngrams).squareRoot() }
  /// What a language that the n-gram model does not have loses against those that it has.
  private static let missingFromNGrams = 2.0
  /// A text is `und` below this likeness: how much likelier its language is than all that the first model rejects, and how well the n-gram model explains it.
  /// Short texts need less, for they show less of their language; long ones too, for they show more of a language that is unlike all classes.
  private static func minimumLikeness(_ ngrams: Double) -> Double {
    -2 - 1.8 * max(0, 1 - ngrams / 80) - 0.4 * min(max(0, log2(ngrams / 100)), 1.5)
  }
  private static let weightOfExplanation = 2.0
  private static let usualExplanation = -8.0
  /// The n-grams of a language that the n-gram model does not have are explained by those of a relative.
  private static let usualExplanationByOthers = -9.0
  /// Languages of the n-gram model for which the first model had less than 250 kB of text: when it rejects them, it is wrong more often.
  private static let languagesOfLittleText: Set = [
    "fo", "ha", "ht", "ig", "jv", "ku", "ky", "lo", "mg", "mt", "qu", "rw", "se", "tk", "vo", "wa",
  ]
  private static let likenessOfLittleText = 2.0

  /// Han characters that only Japanese has: those of JIS X 0208, level 1, that neither GB 2312 nor Big5 has.
  private static let japanese = Set(
    """
    両乗亀亜仏仮価侭値倶倹働兎児円冨冴処凧凪剣剤剰労効勅勧勲匁匂単厳収呉呑呪咲唖啓喰営噛噺嚢団囲図圏圧堺塀塁塩増壊壌壱売壷変奨妬姉姫娯嬢宍実寛対\
    専尭峠峯嶋巌巣巻帯帰庁広廃廻廼弐弾従徳徴応恵悩悪惣懐戦戯戸戻払抜択拝拠拡挙挿捜掲掻揺摂撃撹斉斎晩暁暦曽杢枠査柾栂栃栄栢桜桝桟梶梼椀椙椛検楕楳\
    楽榊様樋権樫欝歓歩歯歳歴殻毎気氷汚沢浄涙涜渇済渉渋渓満溌滝潅瀞瀬焔焼犠狛猟獣瑠産畑畠畳疎痩発皐県砕砿硲碁稲穂穏穐穣窓竃竜竪笹箆篭籾粂粋粛粧経\
    絵絶継続総緑縁縄縦繊繋繍聡聴脇脳臓舎舗舘艶苅荘菓蔵薗薫薬蛍蝋蝿衆袴裏覇覚覧観訳説読諌謡譲讃讐賎賛贋転軽辺辻込逓遅遡郷酔醗醤醸釈鈎鉄鉢鉱銭鋭鋲\
    鋳錬録鑓関閲闘陥険隠隣隷雑雫霊靭韮頚頬頴頼顔顕駄駅駆駈騒験騨髄髪鮎鯵鰐鰯鴎鴫鴬鶏鹸麹麺麿黒黙齢
    """.unicodeScalars)
  /// Japanese without kana looks like Chinese to both models. Of its characters, about one in ten is Japanese alone; Chinese has such in names.
  private static let minimumJapanese = 0.04

  /// The language of a text, in constant time.
  package static func language(of text: [UInt8]) -> Answer {
    var sums = [Int32](repeating: 0, count: Int(WEIR_LANGUAGE_DIMENSION))
    var features = 0
    text.withUnsafeBufferPointer { text in
      for place in places(text, window) { features += weir_language_sums(place.baseAddress, place.count, &sums) }
    }
    guard features > 0 else { return .undetermined }
    var logits = [Float](repeating: 0, count: classes.count)
    weir_language_logits(sums, features, &logits)
    let own = sumsOfProbabilities(logits)
    var joint = Joint(text, ngramWindow, own)
    if joint.lead < clearLead, text.count > ngramWindow * windows { joint = Joint(text, window, own) }
    let likeliest = joint.likeliest
    let advantage = min(max(own[likeliest] - own[languages.count], -8), 8)
    let usual = joint.isExplained ? usualExplanation : usualExplanationByOthers
    var likeness = advantage + weightOfExplanation * min(joint.explanation - usual, 0)
    if languagesOfLittleText.contains(languages[likeliest]) { likeness += likenessOfLittleText }
    guard likeness >= minimumLikeness(joint.ngrams) else { return .undetermined }
    let language = languages[likeliest] == "zh" && isJapanese(text) ? "ja" : languages[likeliest]
    return Answer(language: language, score: joint.probability)
  }

  /// Both models' logarithms of the languages, up to a constant.
  private struct Joint {
    let ngrams: Double
    let likeliest: Int
    /// How much likelier it is than the next.
    let lead: Double
    let probability: Double
    /// The mean logarithm of an n-gram in the likeliest language or, if the n-gram model does not have it, in the one that explains them best.
    let explanation: Double
    let isExplained: Bool

    init(_ text: [UInt8], _ window: Int, _ own: [Double]) {
      var sums = [UInt32](repeating: 0, count: Int(WEIR_NGRAM_CLASSES))
      var found = 0
      text.withUnsafeBufferPointer { text in
        for place in places(text, window) { found += weir_ngrams_add(tables, place.baseAddress, place.count, &sums) }
      }
      var scores = [Float](repeating: 0, count: languageOfNGramClass.count)
      weir_ngrams_scores(sums, found, &scores)
      var byNGrams = [Double](repeating: -.infinity, count: languages.count)
      for (score, language) in zip(scores, languageOfNGramClass) { byNGrams[language] = max(byNGrams[language], Double(score)) }
      let highest = byNGrams.max() ?? 0
      ngrams = Double(max(found, 1))
      let weight = ngramWeight(ngrams)
      let joint = languages.indices.map {
        own[$0] + (byNGrams[$0] == -.infinity ? -missingFromNGrams : weight * (byNGrams[$0] - highest))
      }
      var (first, second) = (0, -Double.infinity)
      for language in joint.indices.dropFirst() {
        if joint[language] > joint[first] {
          second = joint[first]
          first = language
        } else {
          second = max(second, joint[language])
        }
      }
      likeliest = first
      lead = joint[first] - second
      probability = 1 / joint.reduce(0) { $0 + exp($1 - joint[first]) }
      isExplained = byNGrams[first] != -.infinity
      explanation = (isExplained ? byNGrams[first] : highest) / ngrams / log(2)
    }
  }

  /// The parts of a text to read: all of it or, of a long one, `window` bytes in each place.
  private static func places(_ text: UnsafeBufferPointer<UInt8>, _ window: Int) -> [UnsafeBufferPointer<UInt8>] {
    if text.count <= window * windows { return [text] }
    return (0..<windows).map { place in
      var low = (text.count - window) / (windows - 1) * place
      // Skip the rest of a character that began before.
      while low < text.count, text[low] & 0xC0 == 0x80 { low += 1 }
      return UnsafeBufferPointer(rebasing: text[low..<min(low + window, text.count)])
    }
  }

  private static func isJapanese(_ text: [UInt8]) -> Bool {
    let scalars = String(decoding: text.prefix(window * windows), as: UTF8.self).unicodeScalars
    let han = scalars.lazy.filter { (0x4E00...0x9FFF).contains($0.value) }
    let count = han.count { japanese.contains($0) }
    return count > 0 && Double(count) >= minimumJapanese * Double(han.count)
  }

  /// The logarithms of the probabilities of the languages and, last, of `und`, which is what many classes mean, up to a constant.
  private static func sumsOfProbabilities(_ logits: [Float]) -> [Double] {
    let highest = logits.max() ?? 0
    var probabilities = [Double](repeating: 0, count: languages.count + 1)
    for (logit, language) in zip(logits, languageOfClass) { probabilities[language] += exp(Double(logit - highest)) }
    return probabilities.map { log(max($0, 1e-40)) }
  }
}
