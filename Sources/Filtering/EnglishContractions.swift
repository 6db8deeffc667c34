// Exceptions to the punctuation rules of word splitting: contractions, hours, abbreviations, emoticons. The list is that of spaCy's English
// tokenizer (MIT), with which the published filters count words, generated here from its patterns.

enum EnglishContractions {
  /// Each form with the lengths, in code points, of the words it is split into.
  static let all: [String: [Int]] = {
    var forms: [String: [Int]] = [:]
    func add(_ parts: [String]) {
      for variant in [parts, parts.map { $0.replacing("'", with: "’") }] { forms[variant.joined()] = variant.map(\.unicodeScalars.count) }
    }
    /// With and without apostrophes, in lowercase and capitalized.
    func addForms(_ stem: String, _ endings: [String]) {
      for stem in [stem, stem.prefix(1).uppercased() + stem.dropFirst()] {
        add([stem] + endings)
        add([stem] + endings.map { $0.replacing("'", with: "") })
      }
    }
    for ending in [["'m"], ["'m", "a"]] { addForms("i", ending) }
    let will = [["'ll"], ["'ll", "'ve"], ["'d"], ["'d", "'ve"]]
    for word in split("i you he she it we they who what when where why how there that this these those") {
      for ending in will { addForms(word, ending) }
    }
    for word in split("i you we they who what when where why how there these those could might must should would not") {
      addForms(word, ["'ve"])
    }
    for word in split("you we they who what when where why how there these those") { addForms(word, ["'re"]) }
    for word in split("he she it who what when where why how there that this") { addForms(word, ["'s"]) }
    for word in split("ca could do does did had may might must ought sha should wo would ai are is was were have has dare need") {
      addForms(word, ["n't"])
    }
    for word in split("ca could do does did had may might must need ought sha should wo would") { addForms(word, ["n't", "'ve"]) }
    // Without an apostrophe these are other words.
    for word in split("ill its hell shell shed were well whore") {
      forms[word] = nil
      forms[word.prefix(1).uppercased() + word.dropFirst()] = nil
    }
    for stem in ["How", "how"] { add([stem, "'d", "'y"]) }
    for parts in [["can", "not"], ["gon", "na"], ["got", "ta"], ["let", "'s"], ["c'm", "on"]] {
      add(parts)
      add([parts[0].prefix(1).uppercased() + parts[0].dropFirst()] + parts.dropFirst())
    }
    add(["y'", "all"])
    add(["y", "all"])
    for hour in 1...12 {
      for half in ["am", "a.m.", "pm", "p.m."] { add([String(hour), half]) }
    }
    for unit in "CcFfKk" { forms["°\(unit)."] = [1, 1, 1] }
    for word in whole { add([word]) }
    for word in exact { forms[word] = [word.unicodeScalars.count] }
    return forms
  }()

  /// The length of the longest form in code points.
  static let longest = all.keys.reduce(0) { max($0, $1.unicodeScalars.count) }

  private static func split(_ list: String) -> [String] { list.split(separator: " ").map(String.init) }

  /// Kept whole, with either apostrophe.
  private static let whole: [String] = {
    var words = split("Ma'am ma'am O'clock o'clock ' '' 's 'S 'd 'll 're")
    for stem in split("cause cos coz cuz bout nuff") { words.append("'" + stem) }
    for stem in split("Cause Cos Coz Cuz") { words.append("'" + stem) }
    for stem in split("doin goin havin lovin nothin nuthin somethin ol") {
      for stem in [stem, stem.prefix(1).uppercased() + stem.dropFirst()] { words += [stem, stem + "'"] }
    }
    return words + ["em", "'em", "ll", "nuff"] + split(":'( :') :'-( :'-)")
  }()

  /// Kept whole as they stand.
  private static let exact: [String] =
    split(abbreviations) + split(smileys) + "abcdefghijklmnopqrstuvwxyzäöü".map { "\($0)." } + [
      "—", "‘S", "‘s", "\\n", "\\t", "\\\")", "<space>",
    ]

  private static let abbreviations = """
    Adm. Ak. Ala. Apr. Ariz. Ark. Aug. Bros. C++ Calif. Co. Colo. Conn. Corp. D.C. Dec. Del. Dr. E.G. E.g. Feb. Fla. Ga. Gen. Gov. I.E. \
    I.e. Ia. Id. Ill. Inc. Ind. Jan. Jr. Jul. Jun. Kan. Kans. Ky. La. Ltd. Mar. Mass. Md. Messrs. Mich. Minn. Miss. Mo. Mont. Mr. Mrs. \
    Ms. Mt. N.C. N.D. N.H. N.J. N.M. N.Y. Neb. Nebr. Nev. Nov. Oct. Okla. Ore. Pa. Ph.D. Prof. Rep. Rev. S.C. Sen. Sep. Sept. St. Tenn. \
    Va. Wash. Wis. a.m. and/or co. e.g. i.e. p.m. v.s. vs. w/o
    """

  private static let smileys = #"""
    (*_*) (-8 (-: (-; (-_-) (._.) (: (; (= (>_<) (^_^) (o: (¬_¬) (ಠ_ಠ) (╯°□°）╯︵┻━┻ )-: ): -_- -__- ._. 0.0 0.o 0_0 0_o 8) 8-) 8-D 8D
    :( :(( :((( :() :) :)) :))) :* :-( :-(( :-((( :-) :-)) :-))) :-* :-/ :-0 :-3 :-> :-D :-O :-P :-X :-] :-o :-p :-x :-| :-} :/ :0 :1
    :3 :> :D :O :P :X :] :o :o) :p :x :| :} ;) ;-) ;-D ;D ;_; <.< </3 <3 <33 <333 =( =) =/ =3 =D =[ =] =| >.< >.> >:( >:o ><(((*> @_@
    O.O O.o O_O O_o V.V V_V XD XDD [-: [: [= ]= ^_^ ^__^ ^___^ o.0 o.O o.o o_0 o_O o_o v.v v_v xD xDD ¯\(ツ)/¯ ಠ_ಠ ಠ︵ಠ
    """#.replacing("\n", with: " ")
}
