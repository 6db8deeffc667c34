import Testing

@Suite struct CompletionTests {
  @Test(arguments: ["bash", "zsh", "fish"]) func completionScriptNamesTheCommands(_ shell: String) throws {
    try inFolder { binary in
      let result = try binary.weir("--generate-completion-script", shell)
      #expect(result.code == 0)
      #expect(result.errors.isEmpty)
      for name in ["tokenize", "cluster", "allocate", "--max-epochs"] {
        // Fish writes long options without their dashes.
        #expect(result.text.contains(shell == "fish" ? name.replacing("--", with: "") : name))
      }
    }
  }

  @Test func bashTakesTheScript() throws {
    try inFolder { binary in
      let result = try binary.shell("source <(weir --generate-completion-script bash) && complete -p weir")
      #expect(result.code == 0, "\(result.errors)")
      #expect(result.text.contains("weir"))
    }
  }
}
