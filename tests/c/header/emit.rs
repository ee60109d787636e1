//! The C text of what the source says.

use std::fmt::Write;

use super::source::{Constant, Function, Structure};
use super::spelling::{ENUMERATIONS, answer, declared, field, parameter};

/// The line that opens every generated header.
pub fn head(what: &str, guard: &str, includes: &[&str]) -> String {
    let mut text = format!(
        "/* {what}\n *\n * Made from the crate's source by `PORTABLE_WINHTTP_HEADERS=write cargo test --test c headers`. */\n"
    );
    let _ = writeln!(text, "#ifndef {guard}\n#define {guard}\n");
    for include in includes {
        let _ = writeln!(text, "#include {include}");
    }
    text.push_str("\n#ifdef __cplusplus\nextern \"C\" {\n#endif\n");
    text
}

/// The lines that close it.
pub fn tail() -> &'static str {
    "\n#ifdef __cplusplus\n}\n#endif\n\n#endif\n"
}

/// Enumerations first, then numbers as macros.
pub fn constants(text: &mut String, title: &str, constants: &[Constant]) {
    let mut rest = constants.to_vec();
    for (name, belongs) in ENUMERATIONS {
        let (members, others): (Vec<_>, Vec<_>) =
            rest.into_iter().partition(|constant| constant.kind == "i32" && belongs(&constant.name));
        rest = others;
        if members.is_empty() {
            continue;
        }
        let _ = writeln!(text, "\ntypedef enum _{name} {{");
        for member in &members {
            let _ = writeln!(text, "    {} = {},", member.name, member.value);
        }
        let _ = writeln!(text, "}} {name};");
    }
    if !rest.is_empty() {
        let _ = writeln!(text, "\n/* {title} */");
    }
    for constant in &rest {
        macro_of(text, constant);
    }
}

fn macro_of(text: &mut String, constant: &Constant) {
    let Constant { name, kind, value } = constant;
    let number = match (kind.as_str(), value.as_str()) {
        ("*mut c_void", _) => "NULL".to_owned(),
        // A string is wanted there, and a number is passed.
        ("usize", _) if name.starts_with("CERT_STORE_PROV_") || name.starts_with("CERT_CHAIN_POLICY_") => {
            format!("((LPCSTR){value})")
        }
        ("usize", "usize::MAX") => "((WINHTTP_STATUS_CALLBACK)(intptr_t)-1)".to_owned(),
        ("u64", value) => format!("{value}ULL"),
        // Numbers of HRESULT's shape have its type.
        ("Win32Error", value) if value.starts_with("0x8") => format!("((HRESULT){value})"),
        (_, "u32::MAX") => "0xffffffff".to_owned(),
        (_, value) if value.parse::<u64>().is_ok_and(|number| number > i32::MAX as u64) => {
            format!("{:#x}", value.parse::<u64>().unwrap_or_default())
        }
        (_, value) => value.to_owned(),
    };
    assert!(
        number.starts_with(['(', 'N', '-']) || number.starts_with(|c: char| c.is_ascii_digit()),
        "{name}: {number}"
    );
    let _ = writeln!(text, "#undef {name}\n#define {name} {number}");
}

/// All structures, each named before any is declared.
pub fn structures(text: &mut String, structures: &[Structure]) {
    text.push('\n');
    let anonymous = |name: &str| name.ends_with("_0") || name.ends_with("_1");
    for structure in structures.iter().filter(|structure| !anonymous(&structure.name)) {
        let name = &structure.name;
        let keyword = if structure.union { "union" } else { "struct" };
        let constant =
            if name.starts_with("CERT_") { format!(";\ntypedef const {name} *PC{name}") } else { String::new() };
        let _ = writeln!(text, "typedef {keyword} _{name} {name}, *P{name}, *LP{name}{constant};");
    }
    for structure in structures.iter().filter(|structure| !anonymous(&structure.name)) {
        let name = &structure.name;
        let keyword = if structure.union { "union" } else { "struct" };
        let _ = writeln!(text, "\n{keyword} _{name} {{");
        for (field_name, rust) in &structure.fields {
            match structures.iter().find(|inner| anonymous(rust) && inner.name == *rust) {
                Some(inner) => {
                    text.push_str("    union {\n");
                    fields(text, inner, "        ");
                    text.push_str("    };\n");
                }
                None => one_field(text, name, field_name, rust, "    "),
            }
        }
        text.push_str("};\n");
    }
}

fn fields(text: &mut String, structure: &Structure, indent: &str) {
    for (name, rust) in &structure.fields {
        one_field(text, &structure.name, name, rust, indent);
    }
}

fn one_field(text: &mut String, structure: &str, name: &str, rust: &str, indent: &str) {
    let kind = if rust.starts_with('[') { String::new() } else { field(structure, name, rust) };
    let _ = writeln!(text, "{indent}{};", declared(&kind, name, rust));
}

/// Sizes and offsets, as Rust measures them on 64-bit systems: name, what, ours, theirs.
pub fn layouts(text: &mut String, rows: &[(&str, &str, usize, usize)]) {
    text.push_str("\n#ifdef __LP64__\n");
    for (name, what, measured, _) in rows.iter().filter(|row| !row.0.ends_with("_0") && !row.0.ends_with("_1")) {
        let what = match *what {
            "Anonymous1" => "pwszName",
            "Anonymous2" => "pwszValue",
            what => what,
        };
        let _ = match what {
            "size" => writeln!(text, "PWH_ASSERT(sizeof({name}) == {measured}, \"{name}\");"),
            "alignment" => Ok(()),
            field => writeln!(text, "PWH_ASSERT(offsetof({name}, {field}) == {measured}, \"{name}.{field}\");"),
        };
    }
    text.push_str("#endif\n");
}

/// The prototypes.
pub fn functions(text: &mut String, functions: &[Function]) {
    text.push('\n');
    for function in functions {
        let answer = answer(&function.name, function.answer.as_deref());
        let parameters: Vec<String> = function
            .parameters
            .iter()
            .map(|(name, rust)| declared(&parameter(&function.name, name, rust), name, ""))
            .collect();
        let list = if parameters.is_empty() { "void".to_owned() } else { parameters.join(", ") };
        let _ = writeln!(text, "{answer} WINAPI {}({list});", function.name);
    }
}
