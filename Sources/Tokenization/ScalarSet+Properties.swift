extension ScalarSet {
  /// `\s`, Unicode's White_Space.
  static let space = ScalarSet([
    9..<14, 0x20..<0x21, 0x85..<0x86, 0xA0..<0xA1, 0x1680..<0x1681, 0x2000..<0x200B, 0x2028..<0x202A, 0x202F..<0x2030, 0x205F..<0x2060,
    0x3000..<0x3001,
  ])
  /// `\d`.
  static var digit: ScalarSet { categories["Nd"] ?? ScalarSet() }
  /// `\w` of Oniguruma.
  static let word = ["L", "M", "N", "Pc"].reduce(ScalarSet()) { $0.union(categories[$1] ?? ScalarSet()) }
  /// Rust's `char::is_ascii_punctuation` or a punctuation category, as Hugging Face's Punctuation has it.
  static let punctuation = (categories["P"] ?? ScalarSet()).union(ScalarSet([0x21..<0x30, 0x3A..<0x41, 0x5B..<0x61, 0x7B..<0x7F]))

  /// The scalars of each general category, and of each group of categories, in Unicode 16 as Oniguruma knows it (see `CharacterClass`).
  package static let categories: [String: ScalarSet] = {
    var ranges: [String: [Range<UInt32>]] = [:]
    // No letter, number, mark or symbol lies beyond, except for tags and variation selectors.
    for block in [0..<0x323B0, 0xE0000..<0xE01F0] as [Range<UInt32>] {
      var start = block.lowerBound
      while start < block.upperBound {
        let name = category(start)
        let end = (start + 1..<block.upperBound).first { category($0) != name } ?? block.upperBound
        ranges[name, default: []].append(start..<end)
        start = end
      }
    }
    ranges["Co", default: []] += [0xF0000..<0xFFFFE, 0x100000..<0x10FFFE]
    var sets: [String: ScalarSet] = [:]
    for (name, ranges) in ranges {
      let set = ScalarSet(ranges)
      sets[name] = set
      sets[String(name.prefix(1)), default: ScalarSet()] = sets[String(name.prefix(1)), default: ScalarSet()].union(set)
    }
    let assigned = sets.values.reduce(ScalarSet()) { $0.union($1) }.subtracting(sets["Cn"] ?? ScalarSet())
    sets["Cn"] = assigned.inverted
    sets["C"] = (sets["C"] ?? ScalarSet()).union(assigned.inverted)
    sets["Han"] = han
    return sets
  }()

  private static func category(_ value: UInt32) -> String {
    guard let properties = Unicode.Scalar(value)?.properties else { return "Cs" }
    // What later versions assigned is unassigned.
    guard let age = properties.age, age.major <= 16 else { return "Cn" }
    switch properties.generalCategory {
    case .uppercaseLetter: return "Lu"
    case .lowercaseLetter: return "Ll"
    case .titlecaseLetter: return "Lt"
    case .modifierLetter: return "Lm"
    case .otherLetter: return "Lo"
    case .nonspacingMark: return "Mn"
    case .spacingMark: return "Mc"
    case .enclosingMark: return "Me"
    case .decimalNumber: return "Nd"
    case .letterNumber: return "Nl"
    case .otherNumber: return "No"
    case .connectorPunctuation: return "Pc"
    case .dashPunctuation: return "Pd"
    case .openPunctuation: return "Ps"
    case .closePunctuation: return "Pe"
    case .initialPunctuation: return "Pi"
    case .finalPunctuation: return "Pf"
    case .otherPunctuation: return "Po"
    case .mathSymbol: return "Sm"
    case .currencySymbol: return "Sc"
    case .modifierSymbol: return "Sk"
    case .otherSymbol: return "So"
    case .spaceSeparator: return "Zs"
    case .lineSeparator: return "Zl"
    case .paragraphSeparator: return "Zp"
    case .control: return "Cc"
    case .format: return "Cf"
    case .surrogate: return "Cs"
    case .privateUse: return "Co"
    case .unassigned: return "Cn"
    @unknown default: return "Cn"
    }
  }

  /// The script Han, Unicode 16.
  private static let han = ScalarSet([
    0x2E80..<0x2E9A, 0x2E9B..<0x2EF4, 0x2F00..<0x2FD6, 0x3005..<0x3006, 0x3007..<0x3008, 0x3021..<0x302A, 0x3038..<0x303C, 0x3400..<0x4DC0,
    0x4E00..<0xA000, 0xF900..<0xFA6E, 0xFA70..<0xFADA, 0x16FE2..<0x16FE4, 0x16FF0..<0x16FF2, 0x20000..<0x2A6E0, 0x2A700..<0x2B73A,
    0x2B740..<0x2B81E, 0x2B820..<0x2CEA2, 0x2CEB0..<0x2EBE1, 0x2EBF0..<0x2EE5E, 0x2F800..<0x2FA1E, 0x30000..<0x3134B, 0x31350..<0x323B0,
  ])
}
