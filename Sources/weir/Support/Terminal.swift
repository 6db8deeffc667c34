import Foundation

/// Standard error as people see it.
enum Terminal {
  /// Whether standard error is a terminal.
  static let isInteractive = isatty(STDERR_FILENO) == 1
  /// Whether standard output is a terminal.
  static let outputIsInteractive = isatty(STDOUT_FILENO) == 1

  /// Whether standard input is a terminal.
  static let inputIsInteractive = isatty(STDIN_FILENO) == 1

  /// The width of the terminal in columns.
  static var columns: Int {
    var size = winsize()
    guard isInteractive, ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 100 }
    return Int(size.ws_col)
  }

  /// Writes to standard error; a closed one is nobody's loss.
  static func write(_ text: String) {
    try? FileHandle.standardError.write(contentsOf: Data(text.utf8))
  }
}
