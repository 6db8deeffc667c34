import CKernels

// Words as the published filters count them: datatrove splits English text with spaCy's tokenizer, so punctuation marks are words of their
// own, "don't" is two words and "e.g." one. The rules are in `word_cutter.c`, their exceptions here.

/// The exceptions of the word cutter.
enum WordForms {
  /// English contractions, abbreviations and smileys, and units.
  static let english = make(EnglishContractions.all)

  private static func make(_ forms: [String: [Int]]) -> KernelMemory {
    let names = forms.keys.sorted()
    let scalars = names.flatMap { $0.unicodeScalars.map(\.value) }
    let classes = names.flatMap { $0.unicodeScalars.map { CharacterClasses.of($0).rawValue } }
    let parts = names.map { forms[$0] ?? [] }
    func bytes(_ numbers: [Int]) -> [UInt8] { numbers.map { UInt8(truncatingIfNeeded: $0) } }
    let made = weir_word_forms_create(
      CharacterClasses.ascii, scalars, classes, bytes(names.map(\.unicodeScalars.count)), bytes(parts.flatMap(\.self)),
      bytes(parts.map(\.count)),
      names.count, units.flatMap(\.self), bytes(units.map(\.count)), units.count)
    return KernelMemory(made, weir_word_forms_destroy)
  }

  /// Suffixes that are split off after a digit.
  private static let units: [[UInt32]] =
    """
    km km² km³ m m² m³ dm dm² dm³ cm cm² cm³ mm mm² mm³ ha µm nm yd in ft kg g mg µg t lb oz m/s km/h kmh mph hPa Pa mbar mb MB kb KB gb \
    GB tb TB T G M K % км км² км³ м м² м³ дм дм² дм³ см см² см³ мм мм² мм³ нм кг г мг м/с км/ч кПа Па мбар Кб КБ кб Мб МБ мб Гб ГБ гб Тб \
    ТБ كم كم² كم³ م م² م³ سم سم² سم³ مم مم² مم³ غرام جرام جم كغ ملغ كوب اكواب US$ C$ A$
    """.split(separator: " ").map { $0.unicodeScalars.map(\.value) }
}
