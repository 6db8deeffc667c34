import Documents
import Filtering
import Pipeline
import Primitives
import Testing

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
      let answer = LanguageModel.builtIn.language(of: Array(text.utf8))
      #expect(answer.language == language && answer.score > 0.5, "\(answer)")
      // Capitals and marks do not matter, nor does a great length.
      #expect(LanguageModel.builtIn.language(of: Array("— 1. \(text.uppercased())! (2)".utf8)).language == language)
      #expect(LanguageModel.builtIn.language(of: Array(String(repeating: text + "\n", count: 200).utf8)).language == language)
    }
  }

  @Test(arguments: ["", " \n", "123 + 45 = {168}", "ሰላም ለዓለም", "😀😀", "\u{0}"]) func noneWhereNoneIsKnown(text: String) {
    let answer = LanguageModel.builtIn.language(of: Array(text.utf8))
    #expect(answer.language == "und" && answer.score == 0)
  }

  @Test(arguments: 0..<20 as Range<UInt64>) func anyBytes(seed: UInt64) {
    var dice = Dice(state: seed)
    let bytes = (0..<Int.random(in: 0...4_000, using: &dice)).map { _ in UInt8.random(in: 0...255, using: &dice) }
    let answer = LanguageModel.builtIn.language(of: bytes)
    #expect((0...1).contains(answer.score))
    #expect(answer.language == "und" || LanguageModel.builtIn.languages.contains(answer.language))
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

  @Test func damagedModels() throws {
    let sound = LanguageModel.builtInBytes
    #expect(try LanguageModel(sound, path: "m").languages == LanguageModel.builtIn.languages)
    var damaged = sound
    damaged[5_000] ^= 1
    func with(_ bytes: [UInt8], at offset: Int) -> [UInt8] { Array(sound[..<offset]) + bytes + Array(sound[(offset + bytes.count)...]) }
    let cases: [([UInt8], String)] = [
      (damaged, "checksum"), (Array(sound.dropLast()), "bytes where"), (Array(sound[..<20]), "is not a language model"),
      ([], "is not a language model"), (with([2, 0, 0, 0], at: 8), "version 2"), (with([255, 255, 255, 255], at: 12), "buckets"),
    ]
    for (bytes, reason) in cases {
      let error = #expect(throws: WeirError.self) { try LanguageModel(bytes, path: "m") }
      #expect(error?.description.contains(reason) == true, "\(String(describing: error))")
      #expect(error?.place == "m")
    }
  }
}
