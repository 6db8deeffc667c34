import ChatTemplates
import Foundation
import Primitives
import Storage
import Testing

@Suite struct ChatTemplateTests {
  private func render(_ source: String, _ variables: [String: TemplateValue] = [:], date: TemplateDate? = nil) throws -> String {
    let template = try ChatTemplate(Array(source.utf8), place: "t")
    return String(decoding: try template.render(variables, date: date, budget: 200_000).text, as: UTF8.self)
  }

  /// Jinja's own results; `Tests/Parity/chat.py` checks that they are.
  @Test func rendersLikeJinja() throws {
    let path = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Golden/jinja.json").path()
    let root = try JSONDocument(Files.readWhole(path), place: path).root
    var variables: [String: TemplateValue] = [:]
    for (name, node) in try #require(root["variables"]?.object) { variables[name] = TemplateValue(node) }
    for node in try #require(root["cases"]?.array) {
      let source = try #require(node["template"]?.string)
      let text = try render(source, variables, date: TemplateDate("2026-11-30"))
      #expect(text == node["text"]?.string, "\(source)")
    }
  }

  @Test func marksWhatTheAssistantGenerates() throws {
    let template = try ChatTemplate(
      Array("{% for m in ['a', 'é', 'c'] %}<{% generation %}{{ m }}!{% endgeneration %}>{% endfor %}".utf8), place: "t")
    let rendering = try template.render([:])
    #expect(template.hasGeneration)
    #expect(rendering.generated.map { String(decoding: rendering.text[$0], as: UTF8.self) } == ["a!", "é!", "c!"])
  }

  @Test(arguments: [
    ("{% include 'x' %}", "t:1", "{% include %} is not supported"), ("a\n\n{{ x | sort }}", "t:3", "filter sort"),
    ("{{ x is divisible }}", "t:1", "test divisible"), ("{{ x.format(1) }}", "t:1", "method format"),
    ("\n{% if x %}a", "t:2", "elif|else|endif"),
    ("{{ 'a }}", "t:1", "string is not closed"), ("\n{{ a", "t:2", "not closed"), ("{# a", "t:1", "not closed"),
    ("{{ a ) }}", "t:1", "unexpected )"),
    ("{{ }}", "t:1", "expected a value"), ("{{ 1 ** 2 }}", "t:1", "** is not supported"), ("{% endif %}", "t:1", "endif"),
    ("{% for x in y recursive %}{% endfor %}", "t:1", "recursive"), ("{{ 99999999999999999999 }}", "t:1", "not a number"),
    ("{% set x %}{% generation %}a{% endgeneration %}{% endset %}", "t:1", "generation"), ("{{ [1][0](2) }}", "t:1", "cannot be called"),
    ("{{ x.y.z }}", "t:1", "is undefined"), ("{{ 'a' + 1 }}", "t:1", "a string + a number"), ("{{ 1 // 0 }}", "t:1", "division by zero"),
    ("\n{{ raise_exception('no system') }}", "t:2", "no system"), ("{{ strftime_now('%d') }}", "t:1", "asks for the date"),
    ("{{ f() }}", "t:1", "function f"),
    ("{{ 9223372036854775807 + 1 }}", "t:1", "exceeds 64 bits"), ("{{ x | tojson }}", "t:1", "has no JSON"),
    ("{% for x in range(100000) %}{% for y in range(100000) %}{% endfor %}{% endfor %}", "t:1", "does not end"),
    ("{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}", "t:1", "nested more than"),
  ]) func refusesWithTheLine(_ source: String, _ place: String, _ reason: String) throws {
    let error = #expect(throws: WeirError.self) { _ = try render(source) }
    #expect(error?.place == place, "\(source): \(error?.description ?? "")")
    #expect(reason.split(separator: "|").contains { error?.reason.contains($0) == true }, "\(source): \(error?.reason ?? "")")
  }

  @Test func deepTemplatesAreRefusedWithoutOverflow() throws {
    for source in [
      "{{ " + String(repeating: "[", count: 5_000) + " }}", "{{ " + String(repeating: "not ", count: 5_000) + "1 }}",
      "{{ 1" + String(repeating: " + 1", count: 5_000) + " }}", "{{ " + String(repeating: "- ", count: 5_000) + "1 }}",
      String(repeating: "{% if 1 %}", count: 5_000), "{{ a" + String(repeating: "|trim", count: 5_000) + " }}",
    ] {
      #expect(throws: WeirError.self) { _ = try render(source) }
    }
  }

  @Test func theDateIsTheCallers() throws {
    let source = "{% if strftime_now is defined %}{{ strftime_now('%d %b %Y, %A %j'[:-3]) }}{% else %}26 Jul 2024{% endif %}"
    #expect(try render(source) == "26 Jul 2024")
    #expect(try render(source, date: TemplateDate("2026-11-30")) == "30 Nov 2026, Monday")
    for text in ["2024-02-30", "2024-13-01", "24-01-01", "2024-1-1", "", "2024-01-01x"] { #expect(TemplateDate(text) == nil) }
    #expect(TemplateDate("2024-02-29") != nil)
  }

  @Test func publishedTemplatesRender() throws {
    let messages: TemplateValue = .list(
      [("user", " Hi "), ("assistant", "Hello!"), ("user", "Bye"), ("assistant", "Goodbye")].map { role, content in
        var message = TemplateDictionary()
        message.set("role", .text(role))
        message.set("content", .text(content))
        return .dictionary(message)
      })
    let variables: [String: TemplateValue] = [
      "messages": messages, "bos_token": .text("<s>"), "eos_token": .text("</s>"), "add_generation_prompt": .bool(false),
    ]
    let expected = [
      "llama3": ["Hello!<|eot_id|>", "Goodbye<|eot_id|>"], "chatml": ["Hello!<|im_end|>\n", "Goodbye<|im_end|>\n"],
      "qwen3": ["Hello!<|im_end|>\n", "<think>\n\n</think>\n\nGoodbye<|im_end|>\n"],
      "gemma": ["Hello!<end_of_turn>\n", "Goodbye<end_of_turn>\n"],
      "llama2": [" Hello! </s>", " Goodbye </s>"], "mistral": [" Hello!</s>", " Goodbye</s>"],
      "phi3": ["Hello!<|end|>\n", "Goodbye<|end|>\n</s>"],
    ]
    for name in ChatTemplate.publishedNames {
      let template = try #require(try ChatTemplate.published(name)), rendering = try template.render(variables)
      let generated = rendering.generated.map { String(decoding: rendering.text[$0], as: UTF8.self) }
      #expect(generated == expected[name] ?? generated, "\(name)")
      #expect(generated.count == 2 && template.hasGeneration)
      for marker in ChatTemplate.markers(of: name) { #expect(String(decoding: rendering.text, as: UTF8.self).contains(marker)) }
    }
    #expect(try ChatTemplate.published("none") == nil)
  }
}
