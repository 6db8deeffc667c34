import CKernels
import Documents
import Filtering
import Foundation
import Pipeline
import Primitives
import Testing

/// The file of the n-gram model, read into a dictionary.
private struct NaiveNGrams {
  private var rows: [[UInt8]: [(place: Int, units: UInt32)]] = [:]

  init() throws {
    let file = URL(filePath: #filePath).appending(path: "../../../Sources/CKernels/text/language_ngrams.bin").standardized
    let model = [UInt8](try Data(contentsOf: file))
    func word(_ at: Int) -> Int { (0..<4).reduce(0) { $0 | Int(model[4 * at + $1]) << (8 * $1) } }
    let (nodes, classes) = (word(0), word(1))
    let counts = 16 + 16 * classes
    var texts: [[UInt8]] = [[]]
    var at = counts + 3 * nodes
    for node in 0..<nodes {
      for _ in 0..<model[counts + node] { texts.append(texts[node] + [model[counts + nodes + texts.count]]) }
      guard model[counts + 2 * nodes + node] != 255 else { continue }
      var row: [(place: Int, units: UInt32)] = []
      var (left, place) = (model[counts + 2 * nodes + node], 0)
      while left > 0 {
        place += Int(model[at] >> 4)
        if model[at] >> 4 < 15 {
          row.append((place, UInt32(model[at] & 15)))
          (left, place) = (left - 1, place + 1)
        }
        at += 1
      }
      rows[texts[node]] = row
    }
  }

  func add(_ text: [UInt8]) -> (count: Int, sums: [UInt32]) {
    var sums = [UInt32](repeating: 0, count: Int(WEIR_NGRAM_CLASSES))
    var count = 0
    for end in text.indices.map({ $0 + 1 }) {
      guard let row = (max(0, end - 6)..<end).lazy.compactMap({ rows[Array(text[$0..<end])] }).first else { continue }
      count += 1
      for (place, units) in row { sums[place] += units }
    }
    return (count, sums)
  }
}

@Suite struct LanguageTests {
  private static let samples = [
    ("ca", "Tots els éssers humans neixen lliures i iguals en dignitat i en drets, i han de comportar-se fraternalment."),
    ("cs", "Všichni lidé se rodí svobodní a sobě rovní co do důstojnosti a práv. Jsou nadáni rozumem a svědomím."),
    ("da", "Alle mennesker er født frie og lige i værdighed og rettigheder. De er udstyret med fornuft og samvittighed."),
    ("de", "Alle Menschen sind frei und gleich an Würde und Rechten geboren. Sie sind mit Vernunft und Gewissen begabt."),
    ("el", "Όλοι οι άνθρωποι γεννιούνται ελεύθεροι και ίσοι στην αξιοπρέπεια και τα δικαιώματα."),
    ("en", "All human beings are born free and equal in dignity and rights. They are endowed with reason and conscience."),
    ("es", "Todos los seres humanos nacen libres e iguales en dignidad y derechos y, dotados como están de razón y conciencia."),
    ("fi", "Kaikki ihmiset syntyvät vapaina ja tasavertaisina arvoltaan ja oikeuksiltaan. Heille on annettu järki ja omatunto."),
    ("fr", "Tous les êtres humains naissent libres et égaux en dignité et en droits. Ils sont doués de raison et de conscience."),
    ("hu", "Minden emberi lény szabadon születik és egyenlő méltósága és joga van. Az emberek, ésszel és lelkiismerettel bírván."),
    ("it", "Tutti gli esseri umani nascono liberi ed eguali in dignità e diritti. Essi sono dotati di ragione e di coscienza."),
    ("ja", "すべての人間は、生まれながらにして自由であり、かつ、尊厳と権利とについて平等である。"),
    ("ko", "모든 인간은 태어날 때부터 자유로우며 그 존엄과 권리에 있어 동등하다."),
    ("nl", "Alle mensen worden vrij en gelijk in waardigheid en rechten geboren. Zij zijn begiftigd met verstand en geweten."),
    ("pl", "Wszyscy ludzie rodzą się wolni i równi pod względem swej godności i swych praw. Są oni obdarzeni rozumem i sumieniem."),
    ("pt", "Todos os seres humanos nascem livres e iguais em dignidade e em direitos. Dotados de razão e de consciência."),
    ("ru", "Все люди рождаются свободными и равными в своем достоинстве и правах. Они наделены разумом и совестью."),
    ("sv", "Alla människor är födda fria och lika i värde och rättigheter. De är utrustade med förnuft och samvete."),
    ("tr", "Bütün insanlar hür, haysiyet ve haklar bakımından eşit doğarlar. Akıl ve vicdana sahiptirler."),
    ("uk", "Всі люди народжуються вільними і рівними у своїй гідності та правах. Вони наділені розумом і совістю."),
    ("vi", "Tất cả mọi người sinh ra đều được tự do và bình đẳng về nhân phẩm và quyền. Mọi con người đều có lý trí."),
    ("zh", "人人生而自由,在尊严和权利上一律平等。他们赋有理性和良心,并应以兄弟关系的精神相对待。"),
  ]

  @Test func tellsLanguagesApart() {
    for (language, text) in Self.samples {
      let answer = LanguageModel.language(of: Array(text.utf8))
      #expect(answer.language == language && answer.score > 0.5, "\(answer)")
      // Capitals and marks do not matter, nor does a great length.
      #expect(LanguageModel.language(of: Array("— 1. \(text.uppercased())! (2)".utf8)).language == language)
      #expect(LanguageModel.language(of: Array(String(repeating: text + "\n", count: 200).utf8)).language == language)
    }
  }

  /// The same two clauses in languages that are close to each other.
  @Test(arguments: [
    ("hi", "मौसम अच्छा था और हम शाम को नदी के किनारे टहलने गए।"),
    ("mr", "हवामान चांगले होते आणि आम्ही संध्याकाळी नदीच्या काठावर फिरायला गेलो."),
    ("ne", "मौसम राम्रो थियो र हामी साँझ नदीको किनारमा हिँड्न गयौं।"),
    ("hr", "Vrijeme je bilo lijepo pa smo tijekom večeri prošetali uz rijeku, a sljedećeg tjedna putujemo vlakom u Europu."),
    ("bs", "Vrijeme je bilo lijepo, pa smo u toku večeri prošetali pored rijeke, a sljedeće sedmice putujemo vozom u Evropu."),
    ("sr", "Време је било лепо и увече смо отишли у шетњу поред реке."),
    ("sr", "Vreme je bilo lepo i uveče smo otišli u šetnju pored reke, a sledeće nedelje putujemo vozom."),
    ("id", "Cuacanya bagus dan kami pergi berjalan-jalan di tepi sungai pada sore hari karena besok kami harus bekerja."),
    ("ms", "Cuaca baik dan kami pergi bersiar-siar di tepi sungai pada waktu petang kerana esok kami perlu bekerja."),
    ("cs", "Počasí bylo pěkné a večer jsme se šli projít podél řeky."),
    ("sk", "Počasie bolo pekné a večer sme sa išli prejsť popri rieke."),
    ("da", "Vejret var godt, og om aftenen gik vi en tur langs floden, fordi vi skulle arbejde næste dag."),
    ("nb", "Været var fint, og om kvelden gikk vi en tur langs elva fordi vi skulle jobbe neste dag."),
    ("nn", "Vêret var fint, og om kvelden gjekk vi ein tur langs elva fordi vi skulle arbeide neste dag."),
    ("sv", "Vädret var fint och på kvällen gick vi en promenad längs floden."),
    ("pt", "O tempo estava bom e à noite fomos passear à beira do rio."),
    ("gl", "O tempo estaba bo e pola noite fomos pasear pola beira do río coas nosas amigas."),
    ("es", "Hacía buen tiempo y por la noche fuimos a pasear por la orilla del río."),
    ("ca", "Feia bon temps i al vespre vam anar a passejar per la vora del riu."),
    ("uk", "Погода була гарна, і ввечері ми пішли гуляти вздовж річки."),
    ("ru", "Погода была хорошая, и вечером мы пошли гулять вдоль реки."),
    ("be", "Надвор'е было добрае, і ўвечары мы пайшлі гуляць уздоўж ракі."),
    ("bg", "Времето беше хубаво и вечерта отидохме да се разходим край реката."),
    ("mk", "Времето беше убаво и вечерта отидовме на прошетка покрај реката."),
    ("fa", "هوا خوب بود و عصر برای قدم زدن به کنار رودخانه رفتیم."),
    ("ur", "موسم اچھا تھا اور ہم شام کو دریا کے کنارے ٹہلنے گئے۔"),
    ("ps", "هوا ښه وه او موږ ماښام د سیند غاړې ته د ګرځېدو لپاره ولاړو."),
    ("ar", "كان الطقس جميلا وفي المساء ذهبنا نتمشى على ضفة النهر."),
    ("zh", "中华人民共和国国务院办公厅关于印发经济社会发展规划的通知"),
    ("zh", "臺灣總統府發言人對外交政策發表聲明"),
    ("zh", "日本广播公司报道说东京新宿駅附近昨天下午发生火灾没有人受伤消防队员两小时后将大火扑灭"),
    ("ja", "東京都庁舎"), ("ja", "厚生労働省労働基準監督署"), ("ja", "国会議事堂前駅"), ("ja", "日本経済新聞社"),
    ("xh", "Imozulu ibintle kwaye ngokuhlwa sahamba sihamba ngasemlanjeni."),
    ("zu", "Isimo sezulu besisihle futhi kusihlwa sahamba sayohamba ngasemfuleni."),
  ]) func tellsRelativesApart(language: String, text: String) {
    #expect(LanguageModel.language(of: Array(text.utf8)).language == language)
  }

  /// Tones of Yoruba are often not written. The other languages have little text to learn from.
  @Test(arguments: [
    ("yo", "Ojú ọjọ́ dára, nítorí náà a lọ rìn ní etí odò ní ìrọ̀lẹ́ pẹ̀lú àwọn ọ̀rẹ́ wa."),
    ("yo", "Oju ojo dara, nitori naa a lo rin ni eti odo ni irole pelu awon ore wa."),
    ("jv", "Hawane apik lan sore iku aku lan kanca-kancaku mlaku-mlaku ing pinggir kali."),
    ("wa", "Li tins esteut bea et a l' nute nos avans stî nos pormoenner dilé l' aiwe."),
    ("ig", "Ihu igwe mara mma, ya mere anyi gara ije n'akuku osimiri na mgbede."),
  ]) func tellsSmallLanguages(language: String, text: String) {
    #expect(LanguageModel.language(of: Array(text.utf8)).language == language)
  }

  @Test(arguments: ["", " \n", "123 + 45 = {168}", "😀😀", "\u{0}"]) func noneWithoutLetters(text: String) {
    let answer = LanguageModel.language(of: Array(text.utf8))
    #expect(answer.language == "und" && answer.score == 0)
  }

  /// Hawaiian, Guarani, Fijian, Bambara, Greenlandic, Cherokee and Balinese script.
  @Test(arguments: [
    "Hānau kū’oko’a ‘ia nā kānaka apau loa, a ua kau like ka hanohano a me nā pono kīvila ma luna o kākou pākahi.",
    "Avavépe noñecondeva vaʼerãi ojapo térã ndojapói haguére peteĩ mbaʼe ndahaʼéiva delito upe java, tetãpypegua léi térã.",
    "Era sucu ena galala na tamata yadua, era tautauvata ena nodra dokai kei na nodra dodonu. E tiko na nodra vakasama.",
    "Hadamaden bɛɛ danmakɛɲɛnen bɛ bange, danbe ni josira la. Hakili ni taasi b’u bɛɛ la, wa u ka kan ka badenɲasira de waleya.",
    "Inuit tamarmik inunngorput nammineersinnaassuseqarlutik assigiimmillu ataqqinassuseqarlutillu pisinnaatitaaffeqarlutik.",
    "ᏂᎦᏓ ᎠᏂᏴᏫ ᎤᎾᏕᎿᎢ ᎤᎾᏚᏓᎸᏓ ᎠᎴ ᎱᏃᎵᎮᎵᏍᏗ ᎾᎢ ᎠᏲᏙᏗ",
    "ᬲᬓᬮᬂᬚᬦᬫᬲᬾᬳᬶᬓᬂᬳᬾᬫ᭄ᬩᬲ᭄ᬫᬭ᭄ᬤᬶᬓᬮᬦ᭄ᬫᬤᬸᬯᬾᬳᬚᬶ",
  ]) func rejectsOtherLanguages(text: String) {
    #expect(LanguageModel.language(of: Array(text.utf8)).language == "und")
  }

  /// The automaton finds the same n-grams as a search for the longest one that ends at each byte.
  @Test func ngramsAreTheLongest() throws {
    let model = try NaiveNGrams()
    let tables = UnsafeMutableRawPointer.allocate(byteCount: weir_ngrams_size(), alignment: 64)
    defer { tables.deallocate() }
    weir_ngrams_build(OpaquePointer(tables))
    var dice = Dice(state: 3)
    // Without ASCII capitals, since a text in capitals is read in lower case.
    let noise = (0..<20).map { _ in (0..<Int.random(in: 0...300, using: &dice)).map { _ in UInt8.random(in: 0...255, using: &dice) | 0x20 }
    }
    let texts = Self.samples.map { Array($0.1.utf8) } + noise
    for text in texts {
      var sums = [UInt32](repeating: 0, count: Int(WEIR_NGRAM_CLASSES))
      let count = weir_ngrams_add(OpaquePointer(tables), text, text.count, &sums)
      let found = model.add(text)
      #expect(count == found.count && sums == found.sums)
    }
    // Capitals are read in lower case.
    for text in ["über jahre wächst", "жаль и радость", "ամեն մարդ"] {
      var small = [UInt32](repeating: 0, count: Int(WEIR_NGRAM_CLASSES))
      var capital = small
      _ = weir_ngrams_add(OpaquePointer(tables), Array(text.utf8), text.utf8.count, &small)
      _ = weir_ngrams_add(OpaquePointer(tables), Array(text.uppercased().utf8), text.utf8.count, &capital)
      #expect(capital == small)
    }
  }

  @Test func namesTheMostWrittenLanguages() {
    // Codes of the first model stay valid.
    let first = "ar ca cs da de el en es fa fi fr gl gu hr hu id it ja ko lv mk mr nb nl pl pt ro ru sr sv ta te tr uk vi zh"
    #expect(Set(first.split(separator: " ").map(String.init)).isSubset(of: LanguageModel.languages))
    #expect(LanguageModel.languages.count >= 120)
  }

  @Test(arguments: 0..<20 as Range<UInt64>) func anyBytes(seed: UInt64) {
    var dice = Dice(state: seed)
    let bytes = (0..<Int.random(in: 0...4_000, using: &dice)).map { _ in UInt8.random(in: 0...255, using: &dice) }
    let answer = LanguageModel.language(of: bytes)
    #expect((0...1).contains(answer.score))
    #expect(answer.language == "und" || LanguageModel.languages.contains(answer.language))
  }

  private func account(_ keeps: [String], _ threshold: Double = 0.65) throws -> Account {
    var configuration = FilterConfiguration(rules: try FilterRules(parsing: "none"))
    configuration.language.keeps = keeps
    configuration.language.threshold = threshold
    let stage = try FilterDocuments(configuration)
    var tally = Tally(stage: stage.name ?? "")
    _ = try stage.apply(Self.samples.map { Document(id: $0.0, text: $0.1) } + [Document(id: "und", text: "1")], tally: &tally)
    return tally.account
  }

  @Test func dropsOthersByName() throws {
    let some = try account(["de", "en"], 0)
    #expect(some.isBalanced && some.output == 2)
    #expect(some.dropped["language.fr"] == 1 && some.dropped["language.und"] == 1)
    #expect(try account(["de", "en"], 1).dropped["language.uncertain_de"] == 1)
    // An undetermined language has no probability to compare.
    #expect(try account(["und"]).output == 1)
    #expect(try account([]).output == Self.samples.count + 1)
    #expect(throws: WeirError.self) { try account(["xx"]) }
    #expect(throws: WeirError.self) { try account(["de"], -0.1) }
  }

  @Test func notesTheLanguage() throws {
    var configuration = FilterConfiguration(rules: try FilterRules(parsing: "none"))
    configuration.language.annotates = true
    let stage = try FilterDocuments(configuration)
    func members(_ members: String) throws -> String {
      var tally = Tally(stage: stage.name ?? "")
      let document = Document(id: "a", text: Array(Self.samples[5].1.utf8), members: Array(members.utf8))
      return String(decoding: try stage.apply([document], tally: &tally)[0].members, as: UTF8.self)
    }
    let noted = try members("")
    #expect(noted.hasPrefix(#""language": "en", "language_score": 0."#) || noted == #""language": "en", "language_score": 1.0"#)
    #expect(try members(#""a":[1,{"language":2}],"b": "x,\"language\"""#) == #""a":[1,{"language":2}],"b": "x,\"language\"", "# + noted)
    #expect(try members(#""language": {"de": [1, 2]}, "b": 1, "language_score": 2"#) == #""b": 1, "# + noted)
  }
}
