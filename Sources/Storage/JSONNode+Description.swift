import Primitives

extension JSONNode {
  /// The value on one line, shortened to about `limit` characters; strings without quotes.
  package func summary(_ limit: Int) -> String {
    if isNull { return "none" }
    if let string { return Format.clip(string, limit) }
    if let bool { return bool ? "true" : "false" }
    if let int { return "\(int)" }
    if let double { return "\(double)" }
    let (open, close, what) = isArray ? ("[", "]", "elements") : ("{", "}", "members")
    var result = ""
    func cut() -> String { Format.clip(open + result, limit) + " (\(Format.count(count)) \(what))" }
    for (index, element) in (array ?? []).enumerated() {
      if result.count > limit { return cut() }
      result += (index == 0 ? "" : ", ") + element.summary(limit)
    }
    for (index, member) in (object ?? []).enumerated() {
      if result.count > limit { return cut() }
      result += (index == 0 ? "" : ", ") + "\(Format.clip(member.key, 40)): " + member.value.summary(limit)
    }
    return Format.clip(open + result + close, limit + 8)
  }
}
