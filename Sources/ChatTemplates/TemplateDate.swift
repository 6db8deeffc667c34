import Primitives

/// A calendar day, as `strftime_now` of chat templates formats it.
package struct TemplateDate: Sendable, Equatable {
  private let year: Int
  private let month: Int
  private let day: Int

  private static let months = [
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December",
  ]
  private static let weekdays = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"]

  /// A day such as `2024-07-26`; nil for anything else.
  package init?(_ text: String) {
    let parts = text.split(separator: "-", omittingEmptySubsequences: false)
    guard parts.map(\.count) == [4, 2, 2], parts.allSatisfy({ $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }),
      let year = Int(parts[0]), let month = Int(parts[1]), let day = Int(parts[2]), (1...12).contains(month)
    else { return nil }
    let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
    guard (1...[31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1]).contains(day), year > 0 else { return nil }
    (self.year, self.month, self.day) = (year, month, day)
  }

  /// The day of the week, 0 for Sunday (Sakamoto's method).
  private var weekday: Int {
    let year = month < 3 ? year - 1 : year
    return (year + year / 4 - year / 100 + year / 400 + [0, 3, 2, 5, 0, 3, 5, 1, 4, 6, 2, 4][month - 1] + day) % 7
  }

  private static func padded(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }

  /// The day in a format of Python's `strftime`; nil where the format has a code for anything but the day. The time is midnight.
  func formatted(_ format: String) -> String? {
    var result = "", rest = format[...]
    while let character = rest.popFirst() {
      guard character == "%" else {
        result.append(character)
        continue
      }
      switch rest.popFirst() {
      case "Y": result += "\(year)"
      case "y": result += Self.padded(year % 100)
      case "m": result += Self.padded(month)
      case "d": result += Self.padded(day)
      case "B": result += Self.months[month - 1]
      case "b": result += Self.months[month - 1].prefix(3)
      case "A": result += Self.weekdays[weekday]
      case "a": result += Self.weekdays[weekday].prefix(3)
      case "H", "M", "S": result += "00"
      case "%": result += "%"
      default: return nil
      }
    }
    return result
  }
}
