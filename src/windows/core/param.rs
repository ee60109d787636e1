//! Param: what may be passed where a function wants a value of Windows.

use super::{HSTRING, PCSTR, PCWSTR, PSTR, PWSTR};

/// How a type passes the boundary; the types here are all copied.
#[doc(hidden)]
pub trait TypeKind {
    /// [`CopyType`]
    type TypeKind;
}

/// A type that is copied.
#[doc(hidden)]
pub struct CopyType;

/// Names that generated code uses.
#[doc(hidden)]
pub mod imp {
    /// A type that passes for another one.
    pub trait CanInto<T> {}

    impl<T> CanInto<T> for T {}
}

/// A value on its way into a function.
#[doc(hidden)]
pub struct ParamValue<T>(T);

impl<T: Copy> ParamValue<T> {
    /// What the function gets.
    pub fn abi(&self) -> T {
        self.0
    }
}

/// What passes for a `T` in a call. It is there for all types that do; programs only name it.
pub trait Param<T: TypeKind>: Sized {
    /// What the function gets.
    ///
    /// # Safety
    /// The value is not used longer than what it was made of.
    #[doc(hidden)]
    unsafe fn param(self) -> ParamValue<T>;
}

/// Types that pass for others do it by their conversion.
impl<T, U> Param<T> for U
where
    T: TypeKind<TypeKind = CopyType> + Copy,
    U: TypeKind<TypeKind = CopyType> + imp::CanInto<T> + Into<T>,
{
    unsafe fn param(self) -> ParamValue<T> {
        ParamValue(self.into())
    }
}

/// None is null.
impl<T: TypeKind<TypeKind = CopyType> + Copy + Default> Param<T> for Option<&T> {
    unsafe fn param(self) -> ParamValue<T> {
        ParamValue(self.copied().unwrap_or_default())
    }
}

impl Param<PCWSTR> for &HSTRING {
    unsafe fn param(self) -> ParamValue<PCWSTR> {
        ParamValue(PCWSTR(self.as_ptr()))
    }
}

impl Param<PCWSTR> for PWSTR {
    unsafe fn param(self) -> ParamValue<PCWSTR> {
        ParamValue(PCWSTR(self.0))
    }
}

impl Param<PCSTR> for PSTR {
    unsafe fn param(self) -> ParamValue<PCSTR> {
        ParamValue(PCSTR(self.0))
    }
}

impl<T> TypeKind for *mut T {
    type TypeKind = CopyType;
}

macro_rules! copied {
    ($($type:ty)*) => {$(
        impl TypeKind for $type {
            type TypeKind = CopyType;
        }
    )*};
}

copied! { bool i8 u8 i16 u16 i32 u32 i64 u64 isize usize f32 f64 PCSTR PCWSTR PSTR PWSTR }
